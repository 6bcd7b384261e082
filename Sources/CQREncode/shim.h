// SPDX-License-Identifier: Apache-2.0
// What is needed of libqrencode is importable as it is.
#include <qrencode.h>

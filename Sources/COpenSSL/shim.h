// SPDX-License-Identifier: Apache-2.0
// What libcrypto offers as functions is importable as it is; Swift cannot see function-like macros.
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// The lists of libcrypto are typed by macros.
static inline void authledger_extensions_free(STACK_OF(X509_EXTENSION) *extensions) {
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

// Prints a distinguished name as RFC 2253 and RFC 4514 have it; less than 0 is a failure.
static inline int authledger_name_print(BIO *target, const X509_NAME *name) {
    return X509_NAME_print_ex(target, name, 0, XN_FLAG_RFC2253);
}

// SHA-256 by itself, not through EVP, which allocates a context for each hash and clears it again:
// half of what a short text costs, and they are hashed by the million. libcrypto marks these
// functions as deprecated for EVP's sake; what they compute is the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static inline int authledger_sha256_init(SHA256_CTX *state) {
    return SHA256_Init(state);
}

static inline int authledger_sha256_update(SHA256_CTX *state, const void *bytes, size_t count) {
    return SHA256_Update(state, bytes, count);
}

static inline int authledger_sha256_final(unsigned char *digest, SHA256_CTX *state) {
    return SHA256_Final(digest, state);
}
#pragma GCC diagnostic pop

// The kind of a text whose bytes are UTF-8.
static inline int authledger_utf8(void) {
    return MBSTRING_UTF8;
}

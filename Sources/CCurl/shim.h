// SPDX-License-Identifier: Apache-2.0
// The typechecking macros hide the functions; the wrappers below have types of their own.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

// 7.87 brought CURLOPT_QUICK_EXIT, without which a slow name server holds up every transfer.
#if LIBCURL_VERSION_NUM < 0x075700
#error "libcurl 7.87 or newer is needed"
#endif

// Swift cannot call variadic functions: one wrapper for each type of value.
static inline CURLcode authledger_easy_setLong(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode authledger_easy_setOffset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode authledger_easy_setString(
    CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode authledger_easy_setPointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode authledger_easy_setList(
    CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

// Without a copy, which libcurl would not wipe: the memory must stay until the handle is gone.
static inline CURLcode authledger_easy_setBlob(
    CURL *easy, CURLoption option, void *data, size_t size) {
    struct curl_blob blob = {data, size, CURL_BLOB_NOCOPY};
    return curl_easy_setopt(easy, option, &blob);
}

static inline CURLcode authledger_easy_setURL(CURL *easy, CURLU *url) {
    return curl_easy_setopt(easy, CURLOPT_CURLU, url);
}

static inline CURLcode authledger_easy_setDataCallback(
    CURL *easy, CURLoption option, curl_write_callback callback) {
    return curl_easy_setopt(easy, option, callback);
}

static inline CURLcode authledger_easy_setSocketCallback(
    CURL *easy, curl_opensocket_callback callback) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, callback);
}

static inline CURLcode authledger_easy_setRequestCallback(
    CURL *easy, curl_prereq_callback callback) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, callback);
}

static inline CURLcode authledger_easy_setDebugCallback(
    CURL *easy, curl_debug_callback callback) {
    return curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, callback);
}

static inline CURLcode authledger_easy_getCertificates(CURL *easy, struct curl_certinfo **value) {
    return curl_easy_getinfo(easy, CURLINFO_CERTINFO, value);
}

static inline CURLcode authledger_easy_getLong(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode authledger_multi_setLong(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// The address is longer than its declared type, so Swift must not copy it.
static inline const struct sockaddr *authledger_socketAddress(
    const struct curl_sockaddr *address) {
    return &address->addr;
}

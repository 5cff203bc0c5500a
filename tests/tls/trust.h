/*
 * trust: makes libcurl trust the authority in the file that TEST_CA names, in place of the machine's. Nothing else is
 * changed. libcurl has no environment variable for it, and the product no option: curl_easy_perform() of the program
 * that includes this, or that has it as LD_PRELOAD, goes through here.
 */
#ifndef TOLLGATE_TEST_TRUST_H
#define TOLLGATE_TEST_TRUST_H

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static char	trusted[65536];
static size_t	trusted_len;

/* At load too: a program that serves can no longer read the file. */
__attribute__((constructor)) static void
trust_read(void)
{
	FILE	*f = getenv("TEST_CA") != NULL ? fopen(getenv("TEST_CA"), "r") : NULL;

	if (f == NULL)
		return;
	trusted_len = fread(trusted, 1, sizeof(trusted), f);
	fclose(f);
}

CURLcode
curl_easy_perform(CURL *c)
{
	CURLcode		(*perform)(CURL *) = (CURLcode (*)(CURL *))dlsym(RTLD_NEXT, "curl_easy_perform");
	struct curl_blob	blob = { trusted, 0, CURL_BLOB_COPY };

	trust_read();
	blob.len = trusted_len;
	if (getenv("TEST_CA") != NULL) {
		curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
	}
	return perform(c);
}

#endif

/*
 * trust: makes libcurl trust the authority in the file that TEST_CA names, in place of the machine's. Nothing else is
 * changed. libcurl has no environment variable for it, and the product no option: curl_easy_perform() of the program
 * that includes this, or that has it as LD_PRELOAD, goes through here.
 */
#ifndef TOLLGATE_TEST_TRUST_H
#define TOLLGATE_TEST_TRUST_H

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>

CURLcode
curl_easy_perform(CURL *c)
{
	CURLcode	(*perform)(CURL *) = (CURLcode (*)(CURL *))dlsym(RTLD_NEXT, "curl_easy_perform");

	if (getenv("TEST_CA") != NULL) {
		curl_easy_setopt(c, CURLOPT_CAINFO, getenv("TEST_CA"));
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	return perform(c);
}

#endif

/* hello: a FastCGI program that does nothing: reads the body and says so. 32 threads, as webhooks has. */
#include <fcgiapp.h>
#include <pthread.h>
#include <stddef.h>

enum { THREADS = 32 };

static void *
work(void *arg)
{
	FCGX_Request	r;
	char		bytes[4096];

	(void)arg;
	FCGX_InitRequest(&r, 0, 0);
	while (FCGX_Accept_r(&r) == 0) {
		while (FCGX_GetStr(bytes, sizeof(bytes), r.in) > 0)
			;
		FCGX_FPrintF(r.out, "Status: 200\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n"
		    "{\"received\":true}");
		FCGX_Finish_r(&r);
	}
	return NULL;
}

int
main(void)
{
	pthread_t	thread;

	FCGX_Init();
	for (int i = 1; i < THREADS; i++)
		pthread_create(&thread, NULL, work, NULL);
	work(NULL);
	return 0;
}

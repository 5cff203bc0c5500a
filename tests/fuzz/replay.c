/* replay: main() for a fuzz target without libFuzzer: runs each file of the directories it is given, once. */
#include <dirent.h>
#include <err.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Exact-size heap copies, so that a read past the end of the input is seen. */
static void
run_file(const char *path)
{
	FILE	*f = fopen(path, "rb");
	long	size;
	uint8_t	*data;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
		err(1, "%s", path);
	data = malloc((size_t)size);
	if (size > 0 && (data == NULL || fread(data, (size_t)size, 1, f) != 1))
		err(1, "%s", path);
	fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
}

static unsigned
run_directory(const char *path)
{
	DIR		*d = opendir(path);
	struct dirent	*e;
	unsigned	n = 0;
	char		file[PATH_MAX];

	if (d == NULL)
		err(1, "%s", path);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		run_file(file);
		n++;
	}
	closedir(d);
	return n;
}

int
main(int argc, char **argv)
{
	unsigned	n = 0;

	for (int i = 1; i < argc; i++)
		n += run_directory(argv[i]);
	printf("%u inputs\n", n);
	return n == 0;
}

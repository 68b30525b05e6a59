/*
 * Stands in for libcuda.so.1 where there is no GPU: it has memory, streams, modules and graphs, takes every kernel and runs none.
 * Each call is a line in the file that STANDIN_LOG names. What it is like is set by the environment:
 *   STANDIN_DEVICES   how many devices (1)             STANDIN_SM      their compute capability times ten (90)
 *   STANDIN_DRIVER    its CUDA version (12080)         STANDIN_MEMORY  MiB of each device (8192)
 *   STANDIN_FAIL      NAME:NTH:ERROR makes the NTH call of a function fail
 * Compiled with -DWITHOUT_GRAPHS it is a driver that has none.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef int result;
typedef uint64_t address;
typedef void *handle;

static long long setting(const char *name, long long otherwise) {
    const char *value = getenv(name);
    return value && *value ? atoll(value) : otherwise;
}

static void line(const char *format, ...) {
    static FILE *log;
    const char *path = getenv("STANDIN_LOG");
    if (!path) return;
    if (!log) log = fopen(path, "a");
    if (!log) return;
    va_list values;
    va_start(values, format);
    vfprintf(log, format, values);
    va_end(values);
    fputc('\n', log);
    fflush(log);
}

/* The error that a call is to fail with; 0 for none. Counts the calls of the one function that STANDIN_FAIL names. */
static result fault(const char *name) {
    static int calls;
    const char *wanted = getenv("STANDIN_FAIL");
    size_t length = strlen(name);
    if (!wanted || strncmp(wanted, name, length) || wanted[length] != ':') return 0;
    int nth = 0, error = 0;
    sscanf(wanted + length + 1, "%d:%d", &nth, &error);
    if (++calls != nth) return 0;
    line("%s fails with %d", name, error);
    return error;
}

#define CALL(name) do { result error = fault(#name); if (error) return error; } while (0)
#define QUIET(name, ...) result name(__VA_ARGS__) { CALL(name); return 0; }
#define LOGGED(name, ...) result name(__VA_ARGS__) { CALL(name); line(#name); return 0; }

static handle some(void) { return malloc(8); }
static unsigned long long used;
static int capturing;
static int captured;

LOGGED(cuInit, unsigned flags)
result cuDriverGetVersion(int *version) { CALL(cuDriverGetVersion); *version = (int)setting("STANDIN_DRIVER", 12080); return 0; }
result cuDeviceGetCount(int *count) { CALL(cuDeviceGetCount); *count = (int)setting("STANDIN_DEVICES", 1); return 0; }
result cuDeviceGet(int *device, int index) { CALL(cuDeviceGet); *device = index; return 0; }
result cuDeviceGetName(char *name, int length, int device) { CALL(cuDeviceGetName); snprintf(name, length, "Stand-in %d", device); return 0; }
static unsigned long long total(void) { return (unsigned long long)setting("STANDIN_MEMORY", 8192) << 20; }
result cuDeviceTotalMem_v2(size_t *bytes, int device) { CALL(cuDeviceTotalMem_v2); *bytes = total(); return 0; }
result cuMemGetInfo_v2(size_t *available, size_t *all) { CALL(cuMemGetInfo_v2); line("cuMemGetInfo_v2"); *all = total(); *available = total() - used; return 0; }

result cuDeviceGetAttribute(int *value, int attribute, int device) {
    CALL(cuDeviceGetAttribute);
    int sm = (int)setting("STANDIN_SM", 90);
    switch (attribute) {
    case 1: case 2: case 3: *value = 1024; break;      /* threads of a group */
    case 4: *value = 64; break;
    case 5: case 11: *value = INT32_MAX; break;        /* groups */
    case 6: case 7: *value = 65535; break;
    case 8: *value = 49152; break;                     /* shared memory of a group */
    case 9: *value = 65536; break;                     /* constant memory */
    case 10: *value = 32; break;                       /* warp */
    case 12: case 82: *value = 65536; break;           /* registers */
    case 13: *value = 1980000; break;                  /* kHz */
    case 16: *value = 132; break;                      /* multiprocessors */
    case 36: *value = 2619000; break;
    case 37: *value = 5120; break;
    case 38: *value = 50 << 20; break;                 /* L2 */
    case 39: *value = 2048; break;                     /* threads of a multiprocessor */
    case 40: *value = 3; break;
    case 75: *value = sm / 10; break;
    case 76: *value = sm % 10; break;
    case 81: *value = 233472; break;
    case 97: *value = 232448; break;
    default: *value = 0;
    }
    return 0;
}

result cuCtxCreate_v2(handle *context, unsigned flags, int device) { CALL(cuCtxCreate_v2); line("cuCtxCreate_v2"); *context = some(); return 0; }
LOGGED(cuCtxDestroy_v2, handle context)
QUIET(cuCtxSetCurrent, handle context)
LOGGED(cuCtxSynchronize, void)
result cuCtxGetCacheConfig(int *config) { *config = 0; return 0; }
QUIET(cuCtxSetCacheConfig, int config)
result cuCtxGetSharedMemConfig(int *config) { *config = 0; return 0; }
QUIET(cuCtxSetSharedMemConfig, int config)
result cuDeviceCanAccessPeer(int *can, int from, int to) { *can = 0; return 0; }
QUIET(cuCtxEnablePeerAccess, handle context, unsigned flags)
QUIET(cuCtxDisablePeerAccess, handle context)
result cuDeviceGetP2PAttribute(int *value, int attribute, int from, int to) { *value = 0; return 0; }

/*
 * Every block keeps its size in front of it, 256 bytes that keep the alignment. Large ones are pages of shared memory, which the system counts apart from the
 * program's own (RssShmem beside RssAnon in /proc/PID/status), as if a device held them.
 */
#define LARGE (1 << 20)
result cuMemAlloc_v2(address *to, size_t bytes) {
    CALL(cuMemAlloc_v2);
    line("cuMemAlloc_v2 %zu", bytes);
    if (capturing) return 900;
    if (used + bytes > total()) return 2;
    size_t room = (bytes + 511) / 256 * 256;
    unsigned char *block = bytes < LARGE ? aligned_alloc(256, room) : mmap(0, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!block || block == MAP_FAILED) return 2;
    if (bytes < LARGE) memset(block, 0, room);
    *(size_t *)block = bytes;
    used += bytes;
    *to = (address)(block + 256);
    return 0;
}

result cuMemFree_v2(address of) {
    CALL(cuMemFree_v2);
    if (!of) return 1;
    unsigned char *block = (unsigned char *)of - 256;
    line("cuMemFree_v2 %zu", *(size_t *)block);
    size_t bytes = *(size_t *)block;
    used -= bytes;
    if (bytes < LARGE) free(block);
    else munmap(block, (bytes + 511) / 256 * 256);
    return 0;
}

result cuMemAllocHost_v2(handle *to, size_t bytes) { CALL(cuMemAllocHost_v2); line("cuMemAllocHost_v2 %zu", bytes); *to = calloc(1, bytes); return 0; }
result cuMemFreeHost(handle of) { CALL(cuMemFreeHost); line("cuMemFreeHost"); free(of); return 0; }
QUIET(cuMemHostRegister_v2, handle from, size_t bytes, unsigned flags)
QUIET(cuMemHostUnregister, handle from)
result cuMemHostGetDevicePointer_v2(address *to, handle from, unsigned flags) { *to = (address)from; return 0; }
result cuMemcpyAsync(address to, address from, size_t bytes, handle stream) {
    CALL(cuMemcpyAsync);
    line("cuMemcpyAsync %zu", bytes);
    if (capturing) return 900;
    memcpy((void *)to, (void *)from, bytes);
    return 0;
}
result cuMemcpy(address to, address from, size_t bytes) { return cuMemcpyAsync(to, from, bytes, 0); }
result cuMemsetD8Async(address to, unsigned char value, size_t bytes, handle stream) { CALL(cuMemsetD8Async); line("cuMemsetD8Async %zu", bytes); memset((void *)to, value, bytes); return 0; }

/* Wants PTX, or fails as a driver does: with what it has to say in the caller's buffer (options 5: buffer, 6: its size). */
result cuModuleLoadDataEx(handle *module, const char *text, unsigned count, int *options, handle *values) {
    result error = fault("cuModuleLoadDataEx");
    line("cuModuleLoadDataEx %zu", strlen(text));
    if (!error && !strstr(text, ".entry")) error = 218;
    for (unsigned i = 0; error && i < count; i++) {
        if (options[i] == 5) strcpy((char *)values[i], "ptxas application ptx input, line 1; error: stand-in");
    }
    if (error) return error;
    *module = some();
    return 0;
}
result cuModuleLoadData(handle *module, const char *text) { return cuModuleLoadDataEx(module, text, 0, 0, 0); }
QUIET(cuModuleUnload, handle module)
result cuModuleGetFunction(handle *function, handle module, const char *name) { CALL(cuModuleGetFunction); line("cuModuleGetFunction %s", name); *function = some(); return 0; }

result cuLaunchKernel(handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, handle stream, handle *arguments, handle *extra) {
    CALL(cuLaunchKernel);
    line("cuLaunchKernel %u %u", gx, bx);
    if (capturing) captured++;
    return shared > 49152 ? 1 : 0;
}

result cuStreamCreate(handle *stream, unsigned flags) { CALL(cuStreamCreate); line("cuStreamCreate"); *stream = some(); return 0; }
result cuStreamCreateWithPriority(handle *stream, unsigned flags, int priority) { return cuStreamCreate(stream, flags); }
LOGGED(cuStreamDestroy_v2, handle stream)
result cuStreamSynchronize(handle stream) { CALL(cuStreamSynchronize); line("cuStreamSynchronize"); return capturing ? 900 : 0; }

result cuEventCreate(handle *event, unsigned flags) { *event = some(); return 0; }
QUIET(cuEventDestroy_v2, handle event)
result cuEventElapsedTime(float *milliseconds, handle from, handle to) { *milliseconds = 0; return 0; }
QUIET(cuEventQuery, handle event)
QUIET(cuEventRecord, handle event, handle stream)
QUIET(cuEventSynchronize, handle event)

result cuOccupancyMaxActiveBlocksPerMultiprocessor(int *groups, handle function, int threads, size_t shared) { *groups = 2; return 0; }
result cuOccupancyMaxPotentialBlockSize(int *groups, int *threads, handle function, handle callback, size_t shared, int limit) { *groups = 264; *threads = 1024; return 0; }
result cuPointerGetAttribute(handle value, int attribute, address of) { *(int *)value = 0; return 0; }
result cuGetErrorString(result error, const char **text) { *text = "an error of the stand-in"; return 0; }
result cuGetErrorName(result error, const char **text) { *text = "STANDIN"; return 0; }
QUIET(cuFuncSetAttribute, handle function, int attribute, int value)

#ifndef WITHOUT_GRAPHS
result cuStreamBeginCapture_v2(handle stream, int mode) { CALL(cuStreamBeginCapture_v2); line("cuStreamBeginCapture_v2"); capturing = 1; captured = 0; return 0; }
result cuStreamEndCapture(handle stream, handle *graph) { capturing = 0; CALL(cuStreamEndCapture); line("cuStreamEndCapture %d", captured); *graph = some(); return 0; }
result cuGraphInstantiateWithFlags(handle *ready, handle graph, unsigned long long flags) { CALL(cuGraphInstantiateWithFlags); line("cuGraphInstantiateWithFlags"); *ready = some(); return 0; }
LOGGED(cuGraphLaunch, handle ready, handle stream)
LOGGED(cuGraphExecDestroy, handle ready)
LOGGED(cuGraphDestroy, handle graph)
#endif

/*
 * The kernels on the wasm3 interpreter (0.5 or later), which takes linear memory, its code and its stack from the heap. Compile it with
 * the options (-D) that wasm3 itself is compiled with: some change the layout of its structures.
 */
#include "thimble.h"
#include "model.h"

#include <m3_env.h> /* memoryLimit */
#include <wasm3.h>

#include <string.h>

struct engine {
  IM3Environment environment;
  IM3Runtime runtime;
  IM3Function run;
};
typedef char engine_has_room[sizeof(struct engine) <= sizeof(((struct thimble *)0)->engine) ? 1 : -1];

static struct engine *engine_of(struct thimble *model) {
  return (struct engine *)(void *)model->engine;
}

static const char gave_up[] = "the host gave up";

static m3ApiRawFunction(flash_read) {
  m3ApiGetArg(uint32_t, destination);
  m3ApiGetArg(uint32_t, source);
  m3ApiGetArg(uint32_t, bytes);
  (void)_ctx;
  (void)_mem;
  return thimble_flash_read(m3_GetUserData(runtime), destination, source, bytes) ? m3Err_none : gave_up;
}

static m3ApiRawFunction(input_row) {
  m3ApiGetArg(uint32_t, input);
  m3ApiGetArg(uint32_t, row);
  m3ApiGetArg(uint32_t, destination);
  (void)_ctx;
  (void)_mem;
  return thimble_input_row(m3_GetUserData(runtime), input, row, destination) ? m3Err_none : gave_up;
}

/* A module that streams neither weights nor inputs does not import the function. */
static int linked(IM3Module module, const char *name, M3RawCall function) {
  const M3Result result = m3_LinkRawFunction(module, "host", name, "v(iii)", function);
  return result == m3Err_none || result == m3Err_functionLookupFailed;
}

thimble_status thimble_engine_open(struct thimble *model, void *memory, size_t memory_bytes, uint32_t *version) {
  struct engine *const engine = engine_of(model);
  IM3Module module;
  IM3Function plan_version;
  (void)memory;
  if (memory_bytes == 0 || memory_bytes > UINT32_MAX) return THIMBLE_MEMORY;
  engine->environment = m3_NewEnvironment();
  if (engine->environment == NULL) return THIMBLE_ENGINE;
  engine->runtime = m3_NewRuntime(engine->environment, THIMBLE_STACK_BYTES, model);
  if (engine->runtime == NULL) return THIMBLE_ENGINE;
  engine->runtime->memoryLimit = (uint32_t)memory_bytes;
  if (m3_ParseModule(engine->environment, &module, thimble_kernels, THIMBLE_KERNELS_BYTES) != m3Err_none) return THIMBLE_ENGINE;
  if (m3_LoadModule(engine->runtime, module) != m3Err_none) {
    m3_FreeModule(module);
    return THIMBLE_ENGINE;
  }
  if (!linked(module, "flash_read", flash_read) || !linked(module, "input_row", input_row)) return THIMBLE_ENGINE;
  if (m3_FindFunction(&plan_version, engine->runtime, "planVersion") != m3Err_none ||
      m3_FindFunction(&engine->run, engine->runtime, "run") != m3Err_none ||
      m3_CallV(plan_version) != m3Err_none || m3_GetResultsV(plan_version, version) != m3Err_none) {
    return THIMBLE_ENGINE;
  }
  model->memory = m3_GetMemory(engine->runtime, &model->memory_bytes, 0);
  /* A larger memory: the limit went astray, because wasm3 was compiled with other options than this file. */
  return model->memory == NULL || model->memory_bytes > memory_bytes ? THIMBLE_ENGINE : THIMBLE_OK;
}

thimble_status thimble_engine_run(struct thimble *model, uint32_t entry, uint32_t *unknown) {
  struct engine *const engine = engine_of(model);
  M3Result result = m3_CallV(engine->run, entry);
  if (result == m3Err_none) result = m3_GetResultsV(engine->run, unknown);
  if (result == m3Err_none) return THIMBLE_OK;
  if (result == m3Err_trapUnreachable) return THIMBLE_OPERATOR;
  return result == m3Err_trapStackOverflow || result == m3Err_mallocFailed ? THIMBLE_ENGINE : THIMBLE_TRAP;
}

void thimble_engine_close(struct thimble *model) {
  struct engine *const engine = engine_of(model);
  if (engine->runtime != NULL) m3_FreeRuntime(engine->runtime);
  if (engine->environment != NULL) m3_FreeEnvironment(engine->environment);
  memset(model->engine, 0, sizeof model->engine);
}

//===- SanitizerOptions.cpp - how build/asan reports ----------------------===//
//
// Part of every program that is built with sanitizers; ASAN_OPTIONS and
// UBSAN_OPTIONS still override it. A finding is a signal, since the tools' own
// errors are exit 1. LLVM's allocators poison what they have not handed out, but
// Debian's libraries are not instrumented and hand it out without a word, so
// that poisoning is off. MLIR keeps its context's memory to the end.
//
//===----------------------------------------------------------------------===//

extern "C" {
const char *__asan_default_options();
const char *__ubsan_default_options();
}

const char *__asan_default_options() {
  return "abort_on_error=1:allow_user_poisoning=0:detect_leaks=0:"
         "allocator_may_return_null=1";
}

const char *__ubsan_default_options() {
  return "abort_on_error=1:print_stacktrace=1";
}

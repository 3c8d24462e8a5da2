//===- fuse-fuzz.cpp - many inputs, each in a forked child ------*- C++ -*-===//
//
// Reads lines `MODE PATH` from stdin and prints one line for each, in any order:
// `INDEX OUTCOME SECONDS`, where OUTCOME is `exit N`, `signal N` or `timeout 0`.
// A child costs a fork, not the start of a process, so thousands of inputs take
// a minute. MODE is what the tools would do with the file:
//
//   opt      parse, verify and print          (fuse-opt FILE)
//   ptx      source to PTX                    (fuse-compile --emit=ptx)
//   cpu      source to a CPU program          (fuse-compile --target=cpu)
//   program  read a Program and make it run   (fuse-run FILE)
//   npy      read an array                    (fuse-run --input=FILE)
//
// The parent stays single-threaded, as fork demands.
//
//===----------------------------------------------------------------------===//

#include "lib/Reference/Npy.h"
#include "passes/Registration.h"
#include "passes/SourceText.h"
#include "tilefuse/Compile.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Signals.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <map>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

struct Child {
  size_t index;
  Clock::time_point start;
};

int runOpt(llvm::StringRef source) {
  if (tilefuse::findSourceProblem(source))
    return 1;
  mlir::DialectRegistry registry;
  tilefuse::registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
  if (!module)
    return 1;
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  // What was accepted prints as text that is accepted again.
  return mlir::parseSourceString<mlir::ModuleOp>(text, &context) ? 0 : 3;
}

int runMode(llvm::StringRef mode, const std::string &path) {
  if (mode == "npy")
    return tilefuse::reference::readNpy(path) ? 0 : 1;
  if (mode == "program") {
    // recompile() takes no options.
    ::setenv("TILEFUSE_CACHE_DIR", "", 1);
    auto program = tilefuse::Program::load(path);
    if (!program)
      return 1;
    return tilefuse::recompile(*program) ? 0 : 1;
  }
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return 1;
  llvm::StringRef source = (*buffer)->getBuffer();
  if (mode == "opt")
    return tilefuse::runWithLargeStack([&] { return runOpt(source); });
  tilefuse::CompileOptions options;
  options.assemble = false;
  options.useCache = false;
  options.target = mode == "cpu" ? "cpu" : "sm_90a";
  if (mode == "cpu")
    return tilefuse::compile(source, options) ? 0 : 1;
  return tilefuse::emit(source, tilefuse::Stage::Ptx, options) ? 0 : 1;
}

[[noreturn]] void runChild(const std::string &mode, const std::string &path,
                           bool quiet) {
  if (quiet) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, 1);
    dup2(null, 2);
  } else {
    llvm::sys::PrintStackTraceOnErrorSignal("fuse-fuzz");
  }
  rlimit core = {0, 0};
  setrlimit(RLIMIT_CORE, &core);
  // _exit: the parent's buffers and atexit handlers are not the child's.
  _exit(runMode(mode, path));
}

} // namespace

int main(int argc, char **argv) {
  size_t jobs = 1;
  double limit = 20;
  bool quiet = true;
  for (int i = 1; i < argc; ++i) {
    llvm::StringRef flag = argv[i];
    if (flag.consume_front("--jobs="))
      jobs = flag.getAsInteger(10, jobs) ? 1 : std::max<size_t>(1, jobs);
    else if (flag.consume_front("--timeout="))
      flag.getAsDouble(limit);
    else if (flag == "--verbose")
      quiet = false;
  }
  tilefuse::registerPasses();

  std::vector<std::pair<std::string, std::string>> inputs;
  std::string mode, path;
  while (std::cin >> mode && std::getline(std::cin >> std::ws, path))
    inputs.emplace_back(mode, path);

  std::map<pid_t, Child> children;
  for (size_t next = 0; next < inputs.size() || !children.empty();) {
    while (next < inputs.size() && children.size() < jobs) {
      std::cout.flush();
      pid_t pid = fork();
      if (pid == 0)
        runChild(inputs[next].first, inputs[next].second, quiet);
      if (pid < 0) {
        std::perror("fork");
        return 1;
      }
      children[pid] = {next++, Clock::now()};
    }
    int status;
    pid_t done = waitpid(-1, &status, WNOHANG);
    if (done <= 0) {
      for (auto &[pid, child] : children)
        if (std::chrono::duration<double>(Clock::now() - child.start).count() >
            limit)
          kill(pid, SIGKILL);
      std::this_thread::sleep_for(std::chrono::microseconds(500));
      continue;
    }
    Child child = children[done];
    children.erase(done);
    double seconds =
        std::chrono::duration<double>(Clock::now() - child.start).count();
    std::cout << child.index << ' ';
    if (WIFEXITED(status))
      std::cout << "exit " << WEXITSTATUS(status);
    else if (seconds > limit)
      std::cout << "timeout 0";
    else
      std::cout << "signal " << WTERMSIG(status);
    std::cout << ' ' << seconds << '\n';
  }
  return 0;
}

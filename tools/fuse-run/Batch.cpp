//===- Batch.cpp - many runs, each in a process of its own ------*- C++ -*-===//
//
// Starting a tool that links all of MLIR takes longer than a small run. A batch
// starts once and forks for each line, so that a run that crashes costs no
// other one. The parent has no other thread.
//
//===----------------------------------------------------------------------===//

#include "passes/SourceText.h"
#include "tools/fuse-run/Run.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

namespace tilefuse::run {

namespace {
/// A line of the batch that runs or has run.
struct Job {
  size_t index;
  pid_t process;
  FILE *output, *errors;
};
} // namespace

static int runLine(llvm::StringRef line) {
  llvm::SmallVector<llvm::StringRef> arguments;
  llvm::SplitString(line, arguments, " \t");
  auto options = parseOptions(arguments);
  if (!options) {
    llvm::errs() << "fuse-run: error: " << options.error().message << "\n";
    return 1;
  }
  return runWithLargeStack([&] { return runOnce(*options); });
}

static Job startJob(size_t index, llvm::StringRef line) {
  Job job{index, 0, std::tmpfile(), std::tmpfile()};
  llvm::outs().flush();
  job.process = job.output && job.errors ? fork() : -1;
  if (job.process != 0)
    return job;
  dup2(fileno(job.output), STDOUT_FILENO);
  dup2(fileno(job.errors), STDERR_FILENO);
  int code = runLine(line);
  llvm::outs().flush();
  llvm::errs().flush();
  _exit(code);
}

static std::string readAll(FILE *file) {
  std::string text;
  if (!file)
    return text;
  std::rewind(file);
  char buffer[4096];
  while (size_t count = std::fread(buffer, 1, sizeof(buffer), file))
    text.append(buffer, count);
  std::fclose(file);
  return text;
}

/// Prints the line of a job that ended; returns whether it succeeded.
static bool finishJob(const Job &job, int status) {
  bool exited = job.process > 0 && WIFEXITED(status);
  int code = exited ? WEXITSTATUS(status) : -1;
  std::string output = readAll(job.output), errors = readAll(job.errors);
  llvm::json::Object object{
      {"line", static_cast<int64_t>(job.index)},
      {"exit", code},
      {"signal", exited || job.process < 0 ? 0 : WTERMSIG(status)},
      {"errors", llvm::json::fixUTF8(errors)}};
  auto parsed = llvm::json::parse(output);
  if (parsed) {
    object["result"] = std::move(*parsed);
  } else {
    llvm::consumeError(parsed.takeError());
    object["output"] = llvm::json::fixUTF8(output);
  }
  llvm::outs() << llvm::json::Value(std::move(object)) << "\n";
  return code == 0;
}

int runBatch(const Options &options) {
  auto content = readFile(options.batch);
  if (!content) {
    llvm::errs() << options.batch << ": error: " << content.error().message
                 << "\n";
    return 1;
  }
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(*content).split(lines, '\n', -1, /*KeepEmpty=*/false);
  std::vector<Job> running;
  bool allGood = true;
  size_t next = 0;
  while (next < lines.size() || !running.empty()) {
    while (next < lines.size() && running.size() < std::max(1u, options.jobs)) {
      Job job = startJob(next, lines[next]);
      ++next;
      if (job.process < 0)
        allGood &= finishJob(job, 0);
      else
        running.push_back(job);
    }
    int status = 0;
    pid_t ended = running.empty() ? -1 : wait(&status);
    auto it = llvm::find_if(
        running, [&](const Job &job) { return job.process == ended; });
    if (it == running.end())
      continue;
    allGood &= finishJob(*it, status);
    running.erase(it);
  }
  return allGood ? 0 : 1;
}

} // namespace tilefuse::run

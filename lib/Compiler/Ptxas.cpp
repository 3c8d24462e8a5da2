//===- Ptxas.cpp - assembling PTX with NVIDIA's ptxas -------------*- C++ -*-===//

#include "lib/Compiler/Ptxas.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>

namespace tilefuse {

char PtxasNotFound::ID = 0;

void PtxasNotFound::log(llvm::raw_ostream &os) const {
  os << "ptxas was not found (looked in CUDA_HOME, CUDA_PATH, PATH, "
        "/usr/local/cuda and the nvidia wheels of the Python environment)";
}

std::error_code PtxasNotFound::convertToErrorCode() const {
  return std::make_error_code(std::errc::no_such_file_or_directory);
}

namespace {

llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

std::string executableAt(llvm::StringRef folder,
                         std::initializer_list<llvm::StringRef> rest) {
  llvm::SmallString<128> path(folder);
  for (llvm::StringRef part : rest)
    llvm::sys::path::append(path, part);
  return llvm::sys::fs::can_execute(path) ? std::string(path) : std::string();
}

/// ptxas of the PyPI wheels below `environment`/lib/python*/site-packages.
std::string findInPythonEnvironment(llvm::StringRef environment) {
  llvm::SmallString<128> lib(environment);
  llvm::sys::path::append(lib, "lib");
  std::vector<std::string> pythons;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(lib, error), end;
       it != end && !error; it.increment(error))
    if (llvm::sys::path::filename(it->path()).starts_with("python"))
      pythons.push_back(it->path());
  llvm::sort(pythons);
  for (const std::string &python : pythons)
    for (llvm::StringRef wheel : {"cu13", "cuda_nvcc"})
      if (std::string found = executableAt(
              python, {"site-packages", "nvidia", wheel, "bin", "ptxas"});
          !found.empty())
        return found;
  return {};
}

/// The integer in front of `unit` in `line`, or `otherwise`.
int64_t numberBefore(llvm::StringRef line, llvm::StringRef unit,
                     int64_t otherwise) {
  size_t at = line.find(unit);
  if (at == llvm::StringRef::npos)
    return otherwise;
  llvm::StringRef digits = line.take_front(at).rtrim();
  size_t begin = digits.find_last_not_of("0123456789");
  digits = digits.drop_front(begin == llvm::StringRef::npos ? 0 : begin + 1);
  int64_t value;
  return digits.getAsInteger(10, value) ? otherwise : value;
}

} // namespace

std::string findPtxas() {
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (std::optional<std::string> home = llvm::sys::Process::GetEnv(variable))
      if (std::string found = executableAt(*home, {"bin", "ptxas"});
          !found.empty())
        return found;
  if (llvm::ErrorOr<std::string> found =
          llvm::sys::findProgramByName("ptxas"))
    return *found;
  if (std::string found = executableAt("/usr/local/cuda", {"bin", "ptxas"});
      !found.empty())
    return found;
  if (std::optional<std::string> venv =
          llvm::sys::Process::GetEnv("VIRTUAL_ENV"))
    if (std::string found = findInPythonEnvironment(*venv); !found.empty())
      return found;
  return findInPythonEnvironment(".venv");
}

std::string describePtxas() {
  std::string path = findPtxas();
  llvm::sys::fs::file_status status;
  if (path.empty() || llvm::sys::fs::status(path, status))
    return "";
  return path + " " + std::to_string(status.getSize()) + " " +
         std::to_string(
             status.getLastModificationTime().time_since_epoch().count());
}

void parsePtxasReport(llvm::StringRef text, PtxasResult &result) {
  llvm::SmallVector<llvm::StringRef> lines;
  text.split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef line : lines) {
    if (line.contains("Compiling entry function '")) {
      result.kernels.emplace_back();
      result.kernels.back().name =
          line.split("entry function '").second.split('\'').first.str();
      continue;
    }
    if (line.contains("bytes stack frame") && !result.kernels.empty()) {
      PtxasKernelReport &kernel = result.kernels.back();
      kernel.stackBytes = numberBefore(line, "bytes stack frame", 0);
      kernel.spillStoreBytes = numberBefore(line, "bytes spill stores", 0);
      kernel.spillLoadBytes = numberBefore(line, "bytes spill loads", 0);
      continue;
    }
    if (line.contains("Used ") && line.contains(" registers") &&
        !result.kernels.empty()) {
      PtxasKernelReport &kernel = result.kernels.back();
      kernel.registers = numberBefore(line, " registers", 0);
      kernel.sharedBytes = numberBefore(line, "bytes smem", 0);
      continue;
    }
    bool routine = line.contains("Function properties for") ||
                   line.contains("bytes gmem") ||
                   line.contains("Compile time =") ||
                   line.contains("Overriding maximum register limit");
    if (!routine)
      result.warnings.push_back(line.trim().str());
  }
}

llvm::Expected<PtxasResult> assembleWithPtxas(llvm::StringRef ptx,
                                              llvm::StringRef arch) {
  std::string ptxas = findPtxas();
  if (ptxas.empty())
    return llvm::make_error<PtxasNotFound>();

  llvm::SmallString<64> input, output, log;
  if (llvm::sys::fs::createTemporaryFile("tilefuse", "ptx", input) ||
      llvm::sys::fs::createTemporaryFile("tilefuse", "cubin", output) ||
      llvm::sys::fs::createTemporaryFile("tilefuse", "log", log))
    return makeError("cannot make temporary files for ptxas");
  llvm::FileRemover removeInput(input), removeOutput(output), removeLog(log);
  {
    std::error_code error;
    llvm::raw_fd_ostream stream(input, error);
    stream << ptx;
    stream.close();
    if (error || stream.has_error())
      return makeError("cannot write " + input);
  }

  std::string archFlag = ("-arch=" + arch).str();
  llvm::StringRef arguments[] = {ptxas, "-v", archFlag, input, "-o", output};
  std::optional<llvm::StringRef> redirects[] = {std::nullopt, log, log};
  std::string message;
  int code = llvm::sys::ExecuteAndWait(ptxas, arguments, std::nullopt,
                                       redirects, 0, 0, &message);
  auto report = llvm::MemoryBuffer::getFile(log);
  llvm::StringRef text = report ? (*report)->getBuffer() : "";
  if (code != 0)
    return makeError("ptxas failed: " + (text.empty() ? message : text).trim());

  auto image = llvm::MemoryBuffer::getFile(output, /*IsText=*/false,
                                           /*RequiresNullTerminator=*/false);
  if (!image)
    return makeError("ptxas left no cubin");
  PtxasResult result;
  result.cubin = (*image)->getBuffer().str();
  parsePtxasReport(text, result);
  return result;
}

} // namespace tilefuse

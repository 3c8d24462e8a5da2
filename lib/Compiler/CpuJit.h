//===- CpuJit.h - machine code for the host in this process -----*- C++ -*-===//
#ifndef TILEFUSE_LIB_COMPILER_CPUJIT_H
#define TILEFUSE_LIB_COMPILER_CPUJIT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>
#include <string>

namespace tilefuse {

/// One kernel: base addresses of its views in order, and the instance's position
/// in the grid. Any number of threads may run instances at once.
using CpuKernelFn = void (*)(void *const *args, int64_t pid0, int64_t pid1,
                             int64_t pid2);

/// Owns the code of a module's kernels. Thread-safe; the functions live as long
/// as it does.
class CpuCode {
public:
  ~CpuCode();
  CpuCode(const CpuCode &) = delete;
  CpuCode &operator=(const CpuCode &) = delete;

  /// The code of a kernel, or null when there is none of that name.
  CpuKernelFn lookup(llvm::StringRef kernel) const;

private:
  friend class CpuCodeBuilder;
  struct Impl;
  explicit CpuCode(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

/// Compiles the LLVM functions of a module that `tile-to-cpu` has lowered for
/// this machine's CPU. The rest of the module is ignored and left as it
/// is. Several threads may compile modules of different contexts at once.
/// `object`, where given, gets the machine code for loadForHost.
llvm::Expected<std::unique_ptr<CpuCode>>
compileForHost(mlir::ModuleOp module, std::string *object = nullptr);

/// Links machine code that compileForHost gave on a machine with this CPU;
/// `kernels` are the names to find in it.
llvm::Expected<std::unique_ptr<CpuCode>>
loadForHost(llvm::StringRef object, llvm::ArrayRef<std::string> kernels);

/// What the machine code depends on: the CPU's name and features.
std::string describeHostCpu();

} // namespace tilefuse

#endif // TILEFUSE_LIB_COMPILER_CPUJIT_H

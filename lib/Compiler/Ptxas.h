//===- Ptxas.h - assembling PTX with NVIDIA's ptxas ---------------*- C++ -*-===//
//
// A cubin loads faster than PTX and shows what the hardware really gets:
// registers, spills, warnings. ptxas is optional; without it the driver
// assembles the PTX when the program is loaded.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_COMPILER_PTXAS_H
#define TILEFUSE_LIB_COMPILER_PTXAS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace tilefuse {

/// What ptxas says about one kernel. Sizes are in bytes.
struct PtxasKernelReport {
  std::string name;
  int64_t registers = 0;
  int64_t stackBytes = 0;
  int64_t spillStoreBytes = 0;
  int64_t spillLoadBytes = 0;
  /// Statically declared shared memory only; the dynamic part is the launch's.
  int64_t sharedBytes = 0;
};

struct PtxasResult {
  /// The ELF image for `cuModuleLoadData`.
  std::string cubin;
  std::vector<PtxasKernelReport> kernels;
  /// Lines that are neither statistics nor progress, such as "(C7510)
  /// Potential Performance Loss: wgmma.mma_async instructions are serialized".
  std::vector<std::string> warnings;
};

/// No ptxas on this machine: a reason to go on with PTX, unlike other errors.
class PtxasNotFound : public llvm::ErrorInfo<PtxasNotFound> {
public:
  static char ID;
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;
};

/// Path of ptxas: `$CUDA_HOME/bin`, `$CUDA_PATH/bin`, `$PATH`,
/// `/usr/local/cuda/bin`, then the PyPI wheels (`nvidia/cu13/bin`,
/// `nvidia/cuda_nvcc/bin`) of the site-packages folders of `$VIRTUAL_ENV` and of
/// `.venv` in the current folder. Empty when there is none.
std::string findPtxas();

/// Identifies the ptxas that assembleWithPtxas would run: path, size and time of
/// its last change. Empty when there is none.
std::string describePtxas();

/// Assembles `ptx` for `arch` (`sm_90a`). Fails with `PtxasNotFound`, or with
/// ptxas's own message when it rejects the text.
llvm::Expected<PtxasResult> assembleWithPtxas(llvm::StringRef ptx,
                                              llvm::StringRef arch);

/// Reads the text that `ptxas -v` prints.
void parsePtxasReport(llvm::StringRef text, PtxasResult &result);

} // namespace tilefuse

#endif // TILEFUSE_LIB_COMPILER_PTXAS_H

//===- Coord.h - linear coordinates of tiles --------------------*- C++ -*-===//
//
// Where a block of a tensor starts is a linear function of the program
// instance's position in the grid and of loop counters. Keeping that function
// symbolic (rather than as an SSA value) lets the tiling recognise that two
// consumers ask for the same block, prove that a block lies inside a tensor,
// and divide exactly by strides and divisors.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILING_COORD_H
#define TILEFUSE_PASSES_TILING_COORD_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace tilefuse {

class CoordVars;

/// constant + sum of coefficient[v] * variable v.
class Coord {
public:
  Coord(int64_t constant = 0) : constant(constant) {}
  static Coord ofVar(unsigned var, int64_t coefficient);

  Coord operator+(const Coord &other) const;
  Coord operator*(int64_t factor) const;
  bool operator==(const Coord &other) const = default;

  bool isConstant() const { return coefficients.empty(); }
  int64_t getConstant() const { return constant; }
  /// The quotient when every term is divisible, or nothing.
  std::optional<Coord> divideExactly(int64_t divisor) const;
  /// Quotient and remainder, term by term: the value is first * divisor +
  /// second.
  std::pair<Coord, Coord> splitByDivisor(int64_t divisor) const;
  /// The value modulo `modulus` (non-negative) when no variable changes it.
  std::optional<int64_t> getResidue(int64_t modulus) const;
  int64_t getMin(const CoordVars &vars) const;
  int64_t getMax(const CoordVars &vars) const;
  bool dependsOn(unsigned var) const;
  /// The largest variable it depends on, plus one; 0 for a constant.
  unsigned getDepth() const { return coefficients.size(); }
  /// The value as code (an index).
  mlir::Value emit(mlir::OpBuilder &b, mlir::Location loc,
                   const CoordVars &vars) const;

private:
  void trim();
  /// Indexed by variable; no trailing zeros.
  llvm::SmallVector<int64_t, 0> coefficients;
  int64_t constant;
};

/// Grid coordinates, loop counters, and quotients of these. Each runs over
/// 0 .. count-1.
class CoordVars {
public:
  /// Adds a variable; its value is set once code for it exists.
  unsigned add(int64_t count, mlir::Value value = {});
  /// floor(numerator / divisor), as a coordinate over a new variable. Ranges are
  /// those of the numerator's variables taken one by one.
  Coord addQuotient(const Coord &numerator, int64_t divisor);
  void setValue(unsigned var, mlir::Value value) { vars[var].value = value; }
  /// numerator modulo `modulus` (non-negative), as a coordinate over a new
  /// variable.
  Coord addRemainder(const Coord &numerator, int64_t modulus);
  /// Code for the quotients and remainders that have none, once the variables
  /// they come from have values.
  void emitQuotients(mlir::OpBuilder &b, mlir::Location loc);
  int64_t getCount(unsigned var) const { return vars[var].count; }
  mlir::Value getValue(unsigned var) const { return vars[var].value; }
  unsigned size() const { return vars.size(); }

private:
  struct Var {
    int64_t count;
    mlir::Value value;
    /// The value is numerator / divisor, neither negative, or the remainder of
    /// that; 0 when it is neither.
    int64_t divisor = 0;
    Coord numerator;
    bool isRemainder = false;
  };
  llvm::SmallVector<Var, 0> vars;
};

/// What a block covers of one dim of a tensor: base + i * step, 0 <= i <
/// extent.
struct SliceDim {
  Coord base;
  int64_t extent = 1;
  int64_t step = 1;
  bool operator==(const SliceDim &other) const = default;
  /// Position of the last element.
  Coord getLast() const { return base + Coord((extent - 1) * step); }
  /// Whether every position is in [0, bound) whatever the variables are.
  bool isInside(int64_t bound, const CoordVars &vars) const;
};

/// What a block covers of a tensor, per dim.
using Slice = llvm::SmallVector<SliceDim, 0>;

llvm::SmallVector<int64_t> getExtents(llvm::ArrayRef<SliceDim> slice);
unsigned getDepth(llvm::ArrayRef<SliceDim> slice);
/// The slice of a whole tensor.
Slice getWholeSlice(llvm::ArrayRef<int64_t> shape);

/// constant + sum of coefficient[d] * dim d, read from an affine expression.
struct LinearForm {
  llvm::SmallVector<int64_t> coefficients;
  int64_t constant = 0;
  /// Dims with a coefficient other than zero.
  llvm::SmallVector<unsigned> getDims() const;
};

/// The linear form of `expr`, or nothing when it divides or has symbols.
std::optional<LinearForm> getLinearForm(mlir::AffineExpr expr,
                                        unsigned numDims);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_COORD_H

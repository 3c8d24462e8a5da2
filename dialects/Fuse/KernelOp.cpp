//===- KernelOp.cpp - groups of ops that run as one kernel ------*- C++ -*-===//

#include "dialects/Fuse/Fuse.h"

#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

static constexpr StringLiteral anchorName = "fuse.anchor";

// fuse.kernel @name (%a = %x, ...) : (types) -> (types) [schedule(...)]
//     [attributes {...}] region
ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  if (parser.parseSymbolName(name))
    return failure();
  result.getOrAddProperties<Properties>().name = name;
  SMLoc operandLoc = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, [&] {
        return failure(parser.parseArgument(arguments.emplace_back()) ||
                       parser.parseEqual() ||
                       parser.parseOperand(operands.emplace_back()));
      }))
    return failure();

  SMLoc typeLoc = parser.getCurrentLocation();
  FunctionType type;
  if (parser.parseColonType(type))
    return failure();
  if (type.getNumInputs() != operands.size())
    return parser.emitError(typeLoc)
           << "expected " << operands.size() << " operand types, but found "
           << type.getNumInputs();
  for (auto [argument, argumentType] : llvm::zip(arguments, type.getInputs()))
    argument.type = argumentType;
  result.addTypes(type.getResults());

  if (succeeded(parser.parseOptionalKeyword("schedule"))) {
    ScheduleAttr schedule;
    if (parser.parseLParen() || parser.parseAttribute(schedule) ||
        parser.parseRParen())
      return failure();
    result.getOrAddProperties<Properties>().schedule = schedule;
  }
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*result.addRegion(), arguments) ||
      parser.resolveOperands(operands, type.getInputs(), operandLoc,
                             result.operands))
    return failure();
  return success();
}

void KernelOp::print(OpAsmPrinter &p) {
  p << ' ';
  p.printSymbolName(getName());
  p << " (";
  Block *body = getBody().empty() ? nullptr : &getBody().front();
  llvm::interleaveComma(llvm::enumerate(getInputs()), p, [&](auto input) {
    if (body && input.index() < body->getNumArguments())
      p.printRegionArgument(body->getArgument(input.index()), {},
                            /*omitType=*/true);
    p << " = " << input.value();
  });
  p << ") : ";
  p.printFunctionalType(*this);
  if (getSchedule())
    p << " schedule(" << *getSchedule() << ')';
  p.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(), {getNameAttrName(), getScheduleAttrName()});
  p << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false,
                /*printBlockTerminators=*/true);
}

LogicalResult KernelOp::verify() {
  if (getName().empty())
    return emitOpError("expected a name, but found an empty string");
  Block &body = getBody().front();
  if (body.getNumArguments() != getInputs().size())
    return emitOpError("expected one body argument per input (")
           << getInputs().size() << "), but found " << body.getNumArguments();
  for (auto [index, argument, input] :
       llvm::enumerate(body.getArguments(), getInputs()))
    if (argument.getType() != input.getType())
      return emitOpError("expected body argument #")
             << index << " of type " << input.getType() << ", but found "
             << argument.getType();

  auto yield = body.empty() ? YieldOp() : dyn_cast<YieldOp>(body.back());
  if (!yield)
    return emitOpError("expected a body that ends with fuse.yield");
  if (yield.getValues().getTypes() != getResultTypes())
    return yield.emitOpError("expected values of the kernel's result types (")
           << getResultTypes() << "), but found ("
           << yield.getValues().getTypes() << ")";

  Operation *anchor = nullptr;
  for (Operation &op : body) {
    if (!isa_and_present<FuseDialect>(op.getDialect()) || isa<KernelOp>(op))
      return op.emitOpError("expected pure fuse ops in a kernel");
    if (!op.hasAttr(anchorName))
      continue;
    if (anchor)
      return op.emitOpError(
          "expected one anchor in a kernel, but found a second");
    anchor = &op;
  }
  if (!getSchedule())
    return success();

  // The schedule's block covers the anchor's dims, or those of some value. The
  // ops of the body are verified after their kernel; the anchor is asked here.
  if (anchor && failed(mlir::verify(anchor, /*verifyRecursively=*/false)))
    return failure();
  auto space = dyn_cast_or_null<IterationSpaceOpInterface>(anchor);
  size_t dims = getSchedule()->getBlock().size(), expected = dims;
  if (space) {
    expected = space.getIterationSpace().bounds.size();
  } else if (!anchor && getNumResults() > 0) {
    auto fits = [&](Value value) {
      auto type = dyn_cast<RankedTensorType>(value.getType());
      return type && type.getRank() == static_cast<int64_t>(dims);
    };
    bool found = llvm::any_of(body.getArguments(), fits);
    for (Operation &op : body)
      found |= llvm::any_of(op.getResults(), fits);
    if (!found)
      expected = cast<RankedTensorType>(getResult(0).getType()).getRank();
  }
  if (dims != expected)
    return emitOpError("expected a schedule with ")
           << expected << " block extents, one per dim of the "
           << (anchor ? "anchor" : "result") << ", but found " << dims;
  return success();
}

Operation *KernelOp::getAnchor() {
  if (getBody().empty())
    return nullptr;
  for (Operation &op : getBody().front())
    if (op.hasAttr(anchorName))
      return &op;
  return nullptr;
}

YieldOp KernelOp::getYield() {
  return cast<YieldOp>(getBody().front().getTerminator());
}

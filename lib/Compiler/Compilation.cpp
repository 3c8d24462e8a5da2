//===- Compilation.cpp - one compile: context, module, messages -----------===//

#include "Compilation.h"

#include "dialects/Fuse/Fuse.h"
#include "dialects/Tile/Tile.h"
#include "passes/Registration.h"
#include "passes/SourceText.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace tilefuse {

namespace {
constexpr llvm::StringLiteral SourceAttribute = "fuse.source";
constexpr llvm::StringLiteral NameAttribute = "fuse.name";
} // namespace

/// Keeps the first error of the context, with its notes.
class Compilation::Diagnostics {
public:
  explicit Diagnostics(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
            return success();
          if (!first)
            first = describe(diagnostic);
          return success();
        }) {}

  std::optional<Error> take() { return std::exchange(first, std::nullopt); }

private:
  static std::string describeLocation(Location location) {
    FileLineColLoc found;
    location->walk([&](Location inner) {
      found = dyn_cast<FileLineColLoc>(inner);
      return found ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (!found)
      return {};
    return (found.getFilename().strref() + ":" + Twine(found.getLine()) + ":" +
            Twine(found.getColumn()))
        .str();
  }

  static Error describe(Diagnostic &diagnostic) {
    Error error{ErrorCode::InvalidSource, diagnostic.str(),
                describeLocation(diagnostic.getLocation())};
    for (Diagnostic &note : diagnostic.getNotes()) {
      // The generic print of an op is noise in a message for people.
      std::string text = note.str();
      if (!llvm::StringRef(text).starts_with("see current operation"))
        error.message += "\nnote: " + text;
    }
    return error;
  }

  std::optional<Error> first;
  ScopedDiagnosticHandler handler;
};

Compilation::Compilation(const CompileOptions &options) : options(options) {
  DialectRegistry registry;
  registerDialects(registry);
  registerPasses();
  context = std::make_unique<MLIRContext>(registry,
                                          MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  diagnostics = std::make_unique<Diagnostics>(context.get());
}

Compilation::~Compilation() = default;

Error Compilation::takeError(ErrorCode code, std::string fallback) {
  if (std::optional<Error> error = diagnostics->take()) {
    error->code = code;
    return *error;
  }
  return Error{code, std::move(fallback), options.sourceName};
}

// DRAM bytes of the ops of `module` when each runs alone.
static int64_t countUnfusedBytes(ModuleOp module) {
  auto getBytes = [](Type type) -> int64_t {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape())
      return 0;
    return tensor.getNumElements() *
           llvm::divideCeil(tensor.getElementTypeBitWidth(), 8);
  };
  int64_t bytes = 0;
  module.walk([&](Operation *op) {
    if (op->getNumResults() == 0 || op->hasTrait<OpTrait::ConstantLike>() ||
        isa<fuse::ReshapeOp>(op))
      return;
    for (Type type : op->getOperandTypes())
      bytes += getBytes(type);
    for (Type type : op->getResultTypes())
      bytes += getBytes(type);
  });
  return bytes;
}

// Which phase a text comes from shows in its ops.
static Phase detectNextPhase(ModuleOp module) {
  if (!module.getOps<tile::FuncOp>().empty())
    return Phase::Plan;
  bool hasKernels = module
                        .walk([](fuse::KernelOp) {
                          return WalkResult::interrupt();
                        })
                        .wasInterrupted();
  return hasKernels ? Phase::Schedules : Phase::Simplify;
}

// Arguments and results are static tensors, or views once tiled.
Expected<void> Compilation::checkSignature(func::FuncOp entry) {
  if (!llvm::hasSingleElement(entry.getBody())) {
    entry.emitError("has branches; expected a straight-line function");
    return takeError(ErrorCode::InvalidSource, "unsupported control flow");
  }
  auto check = [&](TypeRange types, const char *what) {
    for (auto [i, type] : llvm::enumerate(types))
      if (!fuse::isTensorOf(type, fuse::Elements::Any) &&
          !isa<tile::ViewType>(type)) {
        entry.emitError("expected ")
            << what << ' ' << i
            << " to be a static, non-empty tensor of f32, f16, bf16, f64, i1, "
               "i8, i32 or i64, but found "
            << type;
        return false;
      }
    return true;
  };
  if (!check(entry.getArgumentTypes(), "argument") ||
      !check(entry.getResultTypes(), "result"))
    return takeError(ErrorCode::InvalidSource, "unsupported signature");
  return {};
}

SmallVector<func::FuncOp> Compilation::getEntries() {
  SmallVector<func::FuncOp> entries;
  for (auto function : module->getOps<func::FuncOp>())
    if (!function.isExternal())
      entries.push_back(function);
  return entries;
}

Expected<void> Compilation::pickEntries() {
  auto isChosen = [&](func::FuncOp function) {
    return !function.isExternal() &&
           (options.entry.empty() ? function.isPublic()
                                  : function.getName() == options.entry);
  };
  // What the entries do not need is not compiled.
  llvm::StringSet<> used;
  for (auto function :
       llvm::make_early_inc_range(module->getOps<func::FuncOp>())) {
    if (!isChosen(function)) {
      function.erase();
      continue;
    }
    function.walk(
        [&](tile::LaunchOp launch) { used.insert(launch.getKernel()); });
  }
  for (auto kernel : llvm::make_early_inc_range(module->getOps<tile::FuncOp>()))
    if (!used.contains(kernel.getName()))
      kernel.erase();

  if (getEntries().empty())
    return Error{ErrorCode::InvalidSource,
                 options.entry.empty()
                     ? "there is no public function to compile"
                     : "there is no function '" + options.entry + "'",
                 options.sourceName};
  for (func::FuncOp entry : getEntries())
    if (auto ok = checkSignature(entry); !ok)
      return ok;
  bool calls = module
                   ->walk([&](func::CallOp call) {
                     call.emitOpError("is not supported: inline the callee");
                     return WalkResult::interrupt();
                   })
                   .wasInterrupted();
  if (calls)
    return takeError(ErrorCode::InvalidSource, "unsupported call");
  return {};
}

/// The arguments' names as the text spells them, which the IR does not keep.
class ArgumentNames {
public:
  explicit ArgumentNames(const AsmParserState &state) : state(state) {}

  llvm::StringRef get(Block &block, unsigned index) const {
    const AsmParserState::BlockDefinition *definition =
        state.getBlockDef(&block);
    if (!definition || index >= definition->arguments.size())
      return {};
    llvm::SMRange range = definition->arguments[index].loc;
    llvm::StringRef text(range.Start.getPointer(),
                         range.End.getPointer() - range.Start.getPointer());
    return text.ltrim('%');
  }

private:
  const AsmParserState &state;
};

void Compilation::nameArguments(const ArgumentNames &names) {
  for (func::FuncOp entry : getEntries())
    for (unsigned i = 0; i < entry.getNumArguments(); ++i) {
      if (entry.getArgAttr(i, NameAttribute))
        continue;
      llvm::StringRef name = names.get(entry.getBody().front(), i);
      entry.setArgAttr(
          i, NameAttribute,
          StringAttr::get(context.get(),
                          name.empty() ? "arg" + std::to_string(i) : name));
    }
}

Expected<std::unique_ptr<Compilation>>
Compilation::parse(std::string_view source, const CompileOptions &options) {
  std::unique_ptr<Compilation> self(new Compilation(options));
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(
      llvm::StringRef(source.data(), source.size()), options.sourceName);
  if (std::optional<std::string> problem =
          findSourceProblem(buffer->getBuffer()))
    return Error{ErrorCode::InvalidSource, *problem, options.sourceName};

  llvm::SourceMgr sourceMgr;
  sourceMgr.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  AsmParserState parserState;
  Block block;
  ParserConfig config(self->context.get());
  if (failed(parseAsmSourceFile(sourceMgr, &block, config, &parserState)))
    return self->takeError(ErrorCode::InvalidSource, "the text does not parse");

  // Top-level ops may stand in a module or not.
  if (llvm::hasSingleElement(block) && isa<ModuleOp>(block.front())) {
    auto module = cast<ModuleOp>(block.front());
    module->remove();
    self->module = module;
  } else {
    self->module = ModuleOp::create(
        FileLineColLoc::get(self->context.get(), options.sourceName, 1, 1));
    Block *body = self->module->getBody();
    body->getOperations().splice(body->begin(), block.getOperations());
    if (failed(verify(*self->module)))
      return self->takeError(ErrorCode::InvalidSource, "invalid module");
  }

  if (auto ok = self->pickEntries(); !ok)
    return ok.error();
  self->nameArguments(ArgumentNames(parserState));
  self->next = detectNextPhase(*self->module);
  if (self->next == Phase::Simplify)
    self->unfusedBytes = countUnfusedBytes(*self->module);
  if (auto attribute =
          (*self->module)->getAttrOfType<StringAttr>(SourceAttribute))
    self->source = attribute.str();
  else if (self->next == Phase::Simplify)
    self->source = source;
  (*self->module)->removeAttr(SourceAttribute);
  return self;
}

Expected<void> Compilation::advanceTo(Phase phase) {
  auto run = [&](Phase from, Phase to) -> Expected<void> {
    PassManager manager(context.get(), ModuleOp::getOperationName());
    PipelineOptions pipeline;
    pipeline.target = options.scheduleTarget.empty() ? options.target
                                                     : options.scheduleTarget;
    pipeline.lowerToCPU = options.target == "cpu";
    pipeline.gradients = options.gradients;
    pipeline.gradientArguments = options.gradientArguments;
    pipeline.from = from;
    pipeline.to = to;
    buildPhases(manager, pipeline);
    if (failed(manager.run(*module)))
      return takeError(ErrorCode::InvalidSource, "the compile failed");
    return {};
  };
  if (!(*module)->hasAttr("fuse.target"))
    if (auto ok = run(Phase::Target, Phase::Target); !ok)
      return ok;
  if (phase < next)
    return {};
  if (auto ok = run(next, phase); !ok)
    return ok;
  next = static_cast<Phase>(static_cast<int>(phase) + 1);
  return {};
}

std::string Compilation::print() {
  bool carriesSource = next > Phase::Simplify && next <= Phase::Lower &&
                       !source.empty();
  if (carriesSource)
    (*module)->setAttr(SourceAttribute,
                       StringAttr::get(context.get(), source));
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  stream << "\n";
  (*module)->removeAttr(SourceAttribute);
  return text;
}

} // namespace tilefuse

using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>
/// 10: quantization_config gives every module the scheme that it is stored in, by the rules of the compressed-tensors library (fails) and by vLLM's
/// (warns). This runtime takes modules as they are stored; others do as the config says.
/// </summary>
internal sealed class ConfigCheck() : Check(10, "config-resolution")
{
    private const string Dense = "not quantized";

    public override CheckResult Run(CheckSubject subject)
    {
        var (findings, warnings) = (new Findings(), new WarningList());
        var model = subject.Model;
        var config = QuantConfigReader.Read(model.Config, warnings);
        foreach (var warning in warnings.ToLines()) findings.Warn(ModelConfig.FileName, warning);
        var linears = subject.Linears.Where(shape => shape.Name != subject.Modules.Embedding.Name)
            .Select(shape => subject.Find(shape)).OfType<StoredModule>().ToList();
        if (config.Targets is { } targets)
        {
            foreach (var module in linears) Library(module, targets, findings);
            new VllmConfigCheck(subject, new VllmTargets(model.Config.Source, targets), linears).Run(findings);
        }
        else if (config.Fp8Block is not null)
        {
            Official(subject, linears, findings);
        }
        else
        {
            foreach (var module in linears.Where(module => Stored(module) != Dense))
                findings.Fail(module.Name, $"expected a quantization_config that says {Stored(module)}, as it is stored, found none");
        }
        var kinds = linears.GroupBy(Stored).OrderBy(kind => kind.Key, StringComparer.Ordinal).Select(kind => $"{kind.Count()} {kind.Key}");
        return findings.Conclude(this, $"{linears.Count} modules: {string.Join(", ", kinds)}");
    }

    /// <summary>A way of storing in words.</summary>
    public static string Stored(StoredModule module) => module.Form.Codes switch
    {
        CodeType.Float8 => "fp8",
        CodeType.Int4 or CodeType.Int8 => $"int{module.CodeBits}",
        _ => Dense,
    };

    /// <summary>What a config says in the same words.</summary>
    public static string Told(QuantArgs? arguments) => arguments switch
    {
        null => Dense,
        { IsFloat: true } => "fp8",
        { Bits: var bits } => $"int{bits}",
    };

    // By the name that is in the file, the only one that the library knows.
    private static void Library(StoredModule module, QuantTargets targets, Findings findings)
    {
        var (name, stored) = (NameInFile(module), Stored(module));
        var arguments = targets.Find([name]);
        if (Told(arguments) != stored)
            findings.Fail(name, $"expected compressed-tensors to find {stored}, as it is stored, found {From(arguments)}");
        else if (arguments is { Strategy: "group", GroupSize: { } size } && size != module.Form.GroupColumns)
            findings.Fail(name, $"expected groups of {module.Form.GroupColumns}, as it is stored, found {size} in {arguments.Group}");
    }

    // Float8 is told by its type; what the list names is passed over, by a whole part of the path. The head is never quantized in this form.
    private static void Official(CheckSubject subject, List<StoredModule> linears, Findings findings)
    {
        var left = subject.Model.Config.Quantization!.Value.Texts("modules_to_not_convert");
        foreach (var module in linears)
        {
            var (name, stored) = (NameInFile(module), Stored(module));
            var isLeft = left.Any(entry => entry == name || name.Split('.').Contains(entry) || name.EndsWith($".{entry}", StringComparison.Ordinal));
            if (stored == "fp8" && isLeft) findings.Fail(name, "expected it outside modules_to_not_convert, as it is stored as fp8, found it there");
            else if (stored == Dense && !isLeft && module.Name != subject.Modules.Head.Name)
                findings.Warn(name, "expected it in modules_to_not_convert, as it is not quantized, found it missing there");
            else if (stored is not ("fp8" or Dense)) findings.Fail(name, $"expected a config that says {stored}, as it is stored, found one for fp8");
        }
    }

    private static string From(QuantArgs? arguments) => arguments is null ? Dense : $"{Told(arguments)} from {arguments.Group}";

    private static string NameInFile(StoredModule module)
    {
        var tensor = module.Tensors[0];
        var name = tensor.Part ?? tensor.Name;
        return name[..name.LastIndexOf('.')];
    }
}

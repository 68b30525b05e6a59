using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>
/// 2: every tensor has the shape that the architecture gives it and a type that fits; routers and their corrections have kept float32.
/// </summary>
internal sealed class ShapeCheck() : Check(2, "shapes-and-types")
{
    // The family whose official files have routers in float32, whatever else they are stored in.
    private const string Float32Routers = "minimax_m2";

    public override CheckResult Run(CheckSubject subject)
    {
        var findings = new Findings();
        var modules = 0;
        foreach (var shape in subject.Linears.Where(shape => !ModuleTensorNames.Missing(subject.Model, shape).Any()))
        {
            try
            {
                subject.Model.Module(shape.Name, shape.Rows, shape.Columns);
                modules++;
            }
            catch (BadInputException refused)
            {
                findings.Fail(refused.Part ?? shape.Name, Words(refused));
            }
        }
        foreach (var vector in subject.Vectors)
        {
            if (subject.Model.Find(vector.Name) is not { } tensor) continue;
            if (tensor.Shape is not [var length] || length != vector.Length)
                findings.Fail(vector.Name, $"expected shape [{vector.Length}], found {tensor.ShapeText}");
            else if (tensor.Type is not (DType.F32 or DType.BF16 or DType.F16))
                findings.Fail(vector.Name, $"expected F32, BF16 or F16, found {tensor.Type.FileName()}");
        }
        foreach (var experts in subject.Modules.Layers.Select(layer => layer.Experts).OfType<ExpertModules>())
        {
            Precise(subject, $"{experts.Router.Name}.weight", findings);
            if (experts.Correction is { } correction) Precise(subject, correction.Name, findings);
        }
        return findings.Conclude(this, $"{modules} linear modules and {subject.Vectors.Count()} vectors");
    }

    // Corrections may lie so close together that fewer bits make many of them one.
    private static void Precise(CheckSubject subject, string name, Findings findings)
    {
        if (subject.Model.Find(name) is not { Type: DType.BF16 or DType.F16 } tensor) return;
        var official = subject.Official?.Find(name)?.Type ?? (subject.Model.Config.ModelType == Float32Routers ? DType.F32 : tensor.Type);
        if (official == DType.F32) findings.Warn(name, $"expected F32, as the official one is stored, found {tensor.Type.FileName()}");
    }

    // The message without the file and the tensor in front of it.
    private static string Words(BadInputException refused) =>
        refused.Part is { } part && refused.Message.IndexOf(part, StringComparison.Ordinal) is var at and >= 0
            ? refused.Message[(at + part.Length)..].TrimStart(':', ' ')
            : refused.Message;
}

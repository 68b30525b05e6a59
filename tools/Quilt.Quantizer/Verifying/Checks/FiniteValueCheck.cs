using Quilt.Formats;
using Quilt.Formats.Checkpoints.Storage;

namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>3: no FP8 code, and no number of a tensor that is not packed, is NaN or infinite; scales of FP8 are finite and above 0.</summary>
internal sealed class FiniteValueCheck() : Check(3, "finite-values")
{
    private const int PieceBytes = 4 << 20;

    public override CheckResult Run(CheckSubject subject)
    {
        var findings = new Findings();
        var bytes = 0L;
        foreach (var shape in subject.Linears)
        {
            if (subject.Find(shape) is not { } module || module.Form.Codes is CodeType.Int4 or CodeType.Int8) continue;
            Try(() => Read(module, subject.Cancel), findings);
            bytes += module.Bytes;
        }
        foreach (var vector in subject.Vectors)
        {
            if (subject.Model.Find(vector.Name) is { Shape: [var length] } && length == vector.Length)
                Try(() => subject.Model.Vector(vector.Name, vector.Length), findings);
        }
        return findings.Conclude(this, FormattableString.Invariant($"{bytes / 1e9:0.00} GB of codes, scales and numbers"));
    }

    private static void Read(StoredModule module, CancellationToken cancel)
    {
        var rows = Math.Max(1, PieceBytes / module.RowBytes);
        var piece = new byte[Math.Min(rows, module.Rows) * module.RowBytes];
        for (var first = 0; first < module.Rows; first += rows)
        {
            cancel.ThrowIfCancellationRequested();
            module.ReadRows(first, piece.AsSpan(0, Math.Min(rows, module.Rows - first) * module.RowBytes));
        }
        module.ReadScales(new float[module.ScaleCount]);
    }

    private static void Try(Action read, Findings findings)
    {
        try
        {
            read();
        }
        catch (BadInputException refused)
        {
            findings.Fail(refused.Part ?? refused.Origin, refused.Message);
        }
    }
}

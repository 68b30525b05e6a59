using Quilt.Formats;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>
/// 4: scales of packed integers are finite and above 0, and each group reaches an end of its codes. A scale is made from the largest magnitude of its
/// group, so one that no code fills belongs to other codes: damage that nothing else shows.
/// </summary>
internal sealed class GroupCodeCheck() : Check(4, "group-codes")
{
    private const int PieceBytes = 1 << 18;

    // The scales that compressed-tensors gives a group of zeros: the step at 1 of bfloat16, float16 and float32.
    private static readonly float[] Empty = [0.0078125f, 0.0009765625f, 1.1920929e-7f];

    public override CheckResult Run(CheckSubject subject)
    {
        var findings = new Findings();
        long groups = 0, reordered = 0;
        foreach (var block in subject.Linears.Chunk(256))
        {
            Parallel.ForEach(block, Threads.Of(subject), shape =>
            {
                if (subject.Find(shape) is not { Form.Codes: CodeType.Int4 or CodeType.Int8 } module) return;
                if (subject.Model.Find($"{shape.Name}.weight_g_idx") is not null) Interlocked.Increment(ref reordered);
                else Interlocked.Add(ref groups, Look(module, findings));
            });
        }
        if (groups == 0)
            return reordered > 0
                ? Skip("columns have their groups in an order of their own: such codes carry over what others rounded and need not reach an end")
                : Skip("nothing is stored as packed integers");
        return findings.Conclude(this, $"{groups} groups, each with a code at an end");
    }

    private static int Look(StoredModule module, Findings findings)
    {
        var scales = new float[module.ScaleCount];
        sbyte[]? zeros;
        try
        {
            module.ReadScales(scales);
            zeros = module.ReadZeroPoints();
        }
        catch (BadInputException refused)
        {
            findings.Fail(refused.Part ?? module.Name, refused.Message);
            return scales.Length;
        }
        var across = module.Form.Groups(module.Columns);
        var rows = Math.Max(1, PieceBytes / module.RowBytes);
        var piece = new byte[Math.Min(rows, module.Rows) * module.RowBytes];
        for (var r = 0; r < module.Rows; r++)
        {
            if (r % rows == 0) module.ReadRows(r, piece.AsSpan(0, Math.Min(rows, module.Rows - r) * module.RowBytes));
            var row = piece.AsSpan(r % rows * module.RowBytes, module.RowBytes);
            for (var g = 0; g < across; g++)
            {
                var scale = scales[(r * across) + g];
                if (Array.IndexOf(Empty, scale) >= 0 || ReachesEnd(module, row, g, symmetric: zeros is null)) continue;
                findings.Fail(module.Tensors[0].Name, FormattableString.Invariant(
                    $"expected a code at an end of its range in row {r}, group {g}, found none; its scale is {scale}"));
                return scales.Length;
            }
        }
        return scales.Length;
    }

    // Symmetric codes reach ±(2^(b−1) − 1) or beyond. With zero points, whose rounding moves all codes, one end may be a step away.
    private static bool ReachesEnd(StoredModule module, ReadOnlySpan<byte> row, int group, bool symmetric)
    {
        var (half, middle) = (1 << (module.CodeBits - 1), 1 << (module.Form.Bits - 1));
        var (low, high) = symmetric ? (middle - half + 1, middle + half - 1) : (middle - half + 1, middle + half - 2);
        var (first, last) = (group * module.Form.GroupColumns, Math.Min((group + 1) * module.Form.GroupColumns, module.Columns));
        for (var c = first; c < last; c++)
        {
            var code = module.Form.Codes == CodeType.Int8 ? row[c] : (row[c >> 1] >> ((c & 1) * 4)) & 15;
            if (code <= low || code >= high) return true;
        }
        return false;
    }
}

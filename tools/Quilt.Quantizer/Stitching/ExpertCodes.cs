using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Stitching;

/// <summary>How the experts of a checkpoint are stored: packed integers, the same in all of them.</summary>
/// <param name="Bits">Bits of a code.</param>
/// <param name="Symmetric">No zero points.</param>
/// <param name="GroupSize">Columns that share a scale; null: all of a row.</param>
/// <param name="Reordered">Whether columns have their groups in an order of their own.</param>
internal sealed record ExpertCodes(int Bits, bool Symmetric, int? GroupSize, bool Reordered)
{
    private const string Packed = ".weight_packed";

    /// <summary>Looks at every expert.</summary>
    /// <exception cref="BadInputException">One is missing, is no packed integers, or is stored otherwise than the first.</exception>
    public static ExpertCodes Of(Checkpoint checkpoint, IEnumerable<ModuleShape> experts)
    {
        ExpertCodes? first = null;
        string like = "", scheme = "";
        var isOneRow = true;
        foreach (var shape in experts)
        {
            if (checkpoint.Find(shape.Name + Packed) is null)
                throw new BadInputException(checkpoint.Folder, shape.Name + Packed, checkpoint.Find($"{shape.Name}.weight") is { } dense
                    ? $"expected the expert as packed integers, found {dense.Name} as {Formats.Tensors.DTypes.FileName(dense.Type)}"
                    : "expected this tensor, as the official checkpoint has the expert, found none");
            var module = checkpoint.Module(shape.Name, shape.Rows, shape.Columns);
            var codes = Of(checkpoint, module);
            isOneRow &= codes.GroupSize == shape.Columns;
            if (first is null) (first, like, scheme) = (codes, shape.Name, module.Scheme);
            else if (codes != first && !isOneRow)
                throw new BadInputException(module.Tensors[0].File, module.Tensors[0].Name,
                    $"expected {scheme}, as {like} is stored and one config group says of all experts, found {module.Scheme}");
        }
        // One scale a row is a group of as many columns as the row has, which in w1 and in w2 are not the same.
        return isOneRow ? first! with { GroupSize = null } : first!;
    }

    private static ExpertCodes Of(Checkpoint checkpoint, StoredModule module) => new(module.CodeBits, !module.Form.ZeroPoints,
        module.Form.GroupColumns, checkpoint.Find($"{module.Name}.weight_g_idx") is not null);
}

using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints;

/// <summary>One linear module of a checkpoint: its scheme and the tensors that hold it, shapes already checked against each other.</summary>
/// <param name="Name">Official path, without suffix.</param>
/// <param name="Rows">Outputs.</param>
/// <param name="Columns">Inputs.</param>
/// <param name="Scheme">How the weight is stored.</param>
/// <param name="Weight">Codes or values.</param>
/// <param name="Scale">Multipliers; null where dense.</param>
/// <param name="ZeroPoint">Zero points, packed along rows; may be present and all zero where symmetric.</param>
/// <param name="GroupIndex">Group of each column, I32 [columns].</param>
public sealed record StoredModule(
    string Name, int Rows, int Columns, QuantScheme Scheme, TensorEntry Weight, TensorEntry? Scale = null, TensorEntry? ZeroPoint = null,
        TensorEntry? GroupIndex = null)
{
    /// <summary>Bytes in the files.</summary>
    public long Bytes => Weight.Length + (Scale?.Length ?? 0) + (ZeroPoint?.Length ?? 0) + (GroupIndex?.Length ?? 0);
}

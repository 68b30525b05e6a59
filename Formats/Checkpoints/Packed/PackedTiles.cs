using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Packed;

/// <summary>Where the tiles of a packed module lie, to be mapped (docs/packing.md, "Layout").</summary>
/// <param name="Codes">Words, U32 [tiles, words, 16].</param>
/// <param name="Scales">[tiles, segments, 16], or null.</param>
/// <param name="Zeros">U8 [tiles, segments, 16], or null.</param>
internal sealed record PackedTiles(TensorEntry Codes, TensorEntry? Scales, TensorEntry? Zeros);

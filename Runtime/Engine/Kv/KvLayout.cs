using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Kv;

/// <summary>How the keys and values of all layers are kept.</summary>
/// <param name="Blocks">Blocks in every layer.</param>
/// <param name="BlockTokens">Tokens in a block.</param>
/// <param name="Type">In what precision.</param>
internal readonly record struct KvLayout(int Blocks, int BlockTokens, KvType Type);

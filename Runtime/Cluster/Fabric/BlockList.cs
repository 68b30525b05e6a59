using Quilt.Runtime.Kv;

namespace Quilt.Cluster.Fabric;

/// <summary>Hashes of blocks as bytes: 32 each, one behind the other.</summary>
internal static class BlockList
{
    /// <summary>The bytes.</summary>
    public static byte[] Write(IReadOnlyCollection<BlockHash> hashes)
    {
        var bytes = new byte[hashes.Count * BlockHash.Size];
        var at = 0;
        foreach (var hash in hashes)
        {
            hash.CopyTo(bytes.AsSpan(at));
            at += BlockHash.Size;
        }
        return bytes;
    }

    /// <summary>The hashes; what is left over at the end is none.</summary>
    public static IEnumerable<BlockHash> Read(byte[] bytes)
    {
        for (var at = 0; at + BlockHash.Size <= bytes.Length; at += BlockHash.Size) yield return BlockHash.From(bytes.AsSpan(at, BlockHash.Size));
    }
}

using System.Buffers.Binary;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Kv.Tiers;

namespace Quilt.Tests.Runtime.Kv.Tiers;

/// <summary>Made-up images and their names, for tests of tiers.</summary>
internal static class TierImages
{
    /// <summary>Bytes of an image; no multiple of a page.</summary>
    public const int Bytes = 5000;

    /// <summary>A space of such images.</summary>
    public static KvSpace Space(int model = 1) => new(Hash(1000 + model), Bytes);

    /// <summary>The hash of an image.</summary>
    public static BlockHash Hash(int name) => BlockHasher.Next(BlockHasher.DefaultRoot, [name]);

    /// <summary>An image; the same name gives the same bytes.</summary>
    public static byte[] Image(int name)
    {
        var image = new byte[Bytes];
        new Random(name).NextBytes(image);
        BinaryPrimitives.WriteInt32LittleEndian(image, name);
        return image;
    }

    /// <summary>Whether a tier gives an image; fails if it gives another one.</summary>
    public static bool Has(KvTier tier, int name)
    {
        var image = new byte[Bytes];
        if (!tier.TryRead(Hash(name), image)) return false;
        Assert.That(image.AsSpan().SequenceEqual(Image(name)), $"image {name} came back as another one");
        return true;
    }

    /// <summary>Writes an image.</summary>
    public static void Put(KvTier tier, int name) => tier.Write(Hash(name), Image(name));
}

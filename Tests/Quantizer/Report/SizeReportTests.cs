using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Report;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Report;

/// <summary>What a model weighs.</summary>
public sealed class SizeReportTests
{
    private const long GiB = 1L << 30;

    [Test]
    public void Memory_is_weights_and_cache()
    {
        var sizes = new SizeReport([new("experts", 200 * GiB, 40 * GiB), new("attention", 2 * GiB, 1 * GiB)], 1 << 15, 65_536);
        Assert.That((sizes.BytesBefore, sizes.BytesAfter), Is.EqualTo((202 * GiB, 41 * GiB)));
        Assert.That(sizes.Memory.Select(need => need.Tokens), Is.EqualTo(new long[] { 32_768, 65_536 }), "no longer than the model was made for");
        Assert.That(sizes.Memory.Select(need => need.CacheBytes), Is.EqualTo(new[] { 1 * GiB, 2 * GiB }));
        Assert.That(sizes.Memory.Select(need => need.TotalBytes), Is.EqualTo(new[] { 42 * GiB, 43 * GiB }));
        var fits = SizeReport.Cards.Zip(sizes.Memory[0].Fits).Where(card => card.Second).Select(card => card.First);
        Assert.That(fits, Is.EqualTo(new[] { "2×24 GB", "1×48 GB", "2×48 GB", "1×80 GB", "2×80 GB", "1×96 GB", "2×96 GB" }));
    }

    [Test]
    public void A_card_is_not_filled_to_the_brim()
    {
        Assert.That(Fits(22.7), Is.True);
        Assert.That(Fits(22.9), Is.False, "95 % of 24 GiB are 22.8");

        static bool Fits(double gib) => new SizeReport([new("experts", 0, (long)(gib * GiB))], 0, 1).Memory[0].Fits[0];
    }

    [Test]
    public void Every_byte_of_a_checkpoint_is_of_some_kind()
    {
        using var folder = new TinyFolder();
        using var checkpoint = Checkpoint.Open(folder.Path);
        var sizes = CheckpointSizes.Compare(checkpoint, checkpoint);
        Assert.That(sizes.BytesAfter, Is.EqualTo(checkpoint.Tensors.Sum(tensor => tensor.Length)));
        Assert.That(sizes.Kinds.Select(kind => kind.Kind), Is.SupersetOf(new[] { "experts", "attention", "embedding and head", "routers" }));
        Assert.That(sizes.Kinds.Single(kind => kind.Kind == "routers").After,
            Is.EqualTo(TinyMiniMax.Layers * TinyMiniMax.Experts * TinyMiniMax.Hidden * sizeof(float)));
        Assert.That(sizes.Kinds, Has.All.Matches<KindSize>(kind => kind!.Before == kind.After));
        Assert.That(sizes.KvBytesPerToken, Is.EqualTo(TinyMiniMax.Layers * 2 * 2 * 16 * 2));
        Assert.That(sizes.MaxTokens, Is.EqualTo(TinyMiniMax.MaxPositions));
    }
}

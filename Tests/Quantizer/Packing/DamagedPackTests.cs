using Quilt.Formats;
using Quilt.Quantizer.Packing;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Packing;

/// <summary>A packed model that is not what its tag says is refused when it is opened, by file, expectation and finding.</summary>
public sealed class DamagedPackTests
{
    // What is replaced in the header of the first layer's file, by what, and what the refusal must name.
    [TestCase("tiles16-words32", "tiles32-words32", "quilt.layout", "expected tiles16-words32", "found tiles32-words32")]
    [TestCase("\"quilt.version\":\"1\"", "\"quilt.version\":\"2\"", "quilt.version", "expected 1", "found 2")]
    [TestCase("\"quilt.source\"", "\"quilt.sourcf\"", "quilt.source", "expected this key", "found none")]
    [TestCase("\\\"codes\\\":\\\"int4\\\"", "\\\"codes\\\":\\\"int5\\\"", "codes", "expected bf16", "found int5")]
    [TestCase("\\\"group\\\":32", "\\\"group\\\":16", "tiles", "expected", "bytes for a matrix of this size and form")]
    [TestCase("\\\"experts\\\":4", "\\\"experts\\\":3", "tiles", "expected [3, …]", "found [4, ")]
    [TestCase("\\\"columns\\\":64", "\\\"columns\\\":65", "tiles", "expected a matrix", "65]")]
    [TestCase("q_proj.tiles", "q_proj.tilex", "q_proj", "expected model.layers.0.self_attn.q_proj.tiles", "found none")]
    public void Is_refused(string text, string by, string part, string expected, string found)
    {
        using var work = new PackedTiny();
        work.Replace(1, text, by);

        var refused = Assert.Throws<BadInputException>(() => Open(work.Packed))!;
        Assert.That(refused.Message, Does.Contain(Path.GetFileName(work.Files[1])).And.Contain(part).And.Contain(expected).And.Contain(found));
    }

    [Test]
    public void A_truncated_file_is_refused([Values(1, 64, 5000)] int bytes)
    {
        using var work = new PackedTiny();
        using (var stream = File.OpenWrite(work.Files[2])) stream.SetLength(stream.Length - bytes);

        Assert.That(() => Open(work.Packed), Throws.TypeOf<BadInputException>().With.Message.Contains(Path.GetFileName(work.Files[2])));
    }

    [Test]
    public void A_config_of_other_sizes_is_refused()
    {
        using var work = new PackedTiny();
        var config = Path.Combine(work.Packed, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"vocab_size\": 300", "\"vocab_size\": 301", StringComparison.Ordinal)
            .Replace("\"vocab_size\":300", "\"vocab_size\":301", StringComparison.Ordinal));

        Assert.That(() => Open(work.Packed), Throws.TypeOf<BadInputException>().With.Message
            .Contains("model.embed_tokens.tiles: expected a matrix [301, 64], found [300, 64]"));
    }

    [Test]
    public void A_file_of_another_model_is_refused()
    {
        using var work = new PackedTiny();
        using var other = new TemporaryFolder();
        TinyMiniMax.Write(other.Below("model"), seed: 2);
        ModelPacker.Run(other.Below("model"), other.Below("packed"));
        File.Copy(other.Below(Path.Combine("packed", Path.GetFileName(work.Files[1]))), work.Files[1], overwrite: true);

        Assert.That(() => Open(work.Packed), Throws.TypeOf<BadInputException>().With.Message.Contains("the two are of different models"));
    }

    [Test]
    public void A_changed_byte_is_found_by_the_checksum([Values(0.1, 0.5, 0.999)] double where, [Values(0, 1, 3)] int file)
    {
        using var work = new PackedTiny();
        var path = work.Files[file];
        var bytes = File.ReadAllBytes(path);
        var data = 8 + BitConverter.ToInt64(bytes);
        bytes[(int)(data + (where * (bytes.Length - data)))] ^= 1;
        File.WriteAllBytes(path, bytes);

        var results = PackedFiles.Check(work.Packed, default).ToList();
        Assert.That(results.Where(result => result.Problem is not null).Select(result => result.File), Is.EqualTo(new[] { Path.GetFileName(path) }));
        Assert.That(results[file].Problem, Does.Contain("the file is damaged"));
    }

    [Test]
    public void A_changed_word_of_the_tag_is_found_by_the_checksum()
    {
        using var work = new PackedTiny();
        work.Replace(1, "\\\"bits\\\":4", "\\\"bits\\\":3");

        Assert.That(PackedFiles.Check(work.Packed, default).Count(result => result.Problem is not null), Is.EqualTo(1));
    }

    private static void Open(string folder) =>
        LoadedModel.Open(folder, new EngineOptions { Threads = 1, KvMemory = 1 << 20 }, null, default).Dispose();
}

using Quilt.Formats;
using Quilt.Formats.Tensors;
using Quilt.Formats.Tokenizers;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Formats;

/// <summary>
/// Whatever is done to a checkpoint's files: it is refused in words, or it loads and runs. Nothing else is thrown, and nothing large is allocated.
/// </summary>
public sealed class DamagedFileTests
{
    private const long MostAllocated = 64L << 20;
    private static readonly EngineOptions Options = new() { Threads = 1, KvMemory = 1 << 20 };
    private TinyFolder folder = null!;

    [SetUp]
    public void Write() => folder = new TinyFolder();

    [TearDown]
    public void Delete() => folder.Dispose();

    [Test]
    public void A_tensor_file_with_damaged_bytes() => Damage("model-00001-of-00002.safetensors", 1500, Mutation.Bytes, OpenFile);

    [Test]
    public void A_tensor_file_with_a_damaged_header() => Damage("model-00001-of-00002.safetensors", 1500, Mutation.Header, OpenFile);

    [Test]
    public void An_index_with_damaged_bytes() => Damage(ShardIndex.FileName, 1500, Mutation.Bytes, path => ShardIndex.Read(path));

    [Test]
    public void An_index_with_damaged_values() => Damage(ShardIndex.FileName, 1500, Mutation.Json, path => ShardIndex.Read(path));

    [TestCase("config.json", 1500)]
    [TestCase("generation_config.json", 600)]
    [TestCase(ShardIndex.FileName, 300)]
    public void A_model_with_damaged_values(string name, int rounds) => Damage(name, rounds, Mutation.Json, _ => Run());

    [TestCase("config.json", 600)]
    [TestCase("generation_config.json", 300)]
    [TestCase(ShardIndex.FileName, 300)]
    [TestCase("model-00002-of-00002.safetensors", 300)]
    public void A_model_with_damaged_bytes(string name, int rounds) => Damage(name, rounds, Mutation.Bytes, _ => Run());

    [Test]
    public void A_model_with_a_damaged_header() => Damage("model-00002-of-00002.safetensors", 600, Mutation.Header, _ => Run());

    [TestCase("tokenizer_config.json", 600)]
    [TestCase("special_tokens_map.json", 300)]
    [TestCase("added_tokens.json", 300)]
    public void Files_of_tokens_with_damaged_values(string name, int rounds)
    {
        TokenFiles(name);
        Damage(name, rounds, Mutation.Json, _ => Tokenizer.Open(folder.Path));
    }

    [Test]
    public void Files_of_tokens_with_damaged_bytes()
    {
        TokenFiles("tokenizer_config.json");
        Damage("tokenizer_config.json", 600, Mutation.Bytes, _ => Tokenizer.Open(folder.Path));
    }

    private void TokenFiles(string name)
    {
        File.Copy(Path.Combine(TinyMiniMax.Demo, "tokenizer.json"), Path.Combine(folder.Path, "tokenizer.json"));
        File.WriteAllText(Path.Combine(folder.Path, name), name switch
        {
            "added_tokens.json" => """{"<one>": 2048, "<two>": 2049, "<three>": 2050}""",
            "special_tokens_map.json" => """
                {"bos_token": "<one>", "eos_token": {"content": "<two>", "lstrip": true},
                "additional_special_tokens": ["<x>", {"content": "<y>"}]}
                """,
            _ => """
                {"eos_token": "<two>", "additional_special_tokens": ["<x>"], "extra_special_tokens": {"image_token": "<image>"},
                "added_tokens_decoder": {"2048": {"content": "<one>", "special": true, "normalized": false}, "2049": {"content": "<two>"}}}
                """,
        });
    }

    private void Damage(string name, int rounds, Func<byte[], Random, byte[]> damage, Action<string> use)
    {
        var path = Path.Combine(folder.Path, name);
        var whole = File.ReadAllBytes(path);
        use(path);
        var (refused, worked) = (0, 0);
        for (var round = 0; round < rounds; round++)
        {
            File.WriteAllBytes(path, damage(whole, new Random(round)));
            var before = GC.GetTotalAllocatedBytes();
            try
            {
                use(path);
                worked++;
            }
            catch (BadInputException bad)
            {
                Assert.That(bad.Message, Has.Length.InRange(1, 10_000), $"round {round}");
                Assert.That(bad.Message.Any(char.IsControl), Is.False, $"round {round}: {bad.Message}");
                refused++;
            }
            catch (Exception thrown) when (thrown is not NUnit.Framework.ResultStateException)
            {
                var kept = Path.Combine(Path.GetTempPath(), $"quilt-damaged-{round}-{name}");
                File.Copy(path, kept, overwrite: true);
                Assert.Fail($"round {round}, kept as {kept}: {thrown}");
            }
            Assert.That(GC.GetTotalAllocatedBytes() - before, Is.LessThan(MostAllocated), $"round {round}");
        }
        TestContext.Out.WriteLine($"{name}: {refused} refused, {worked} worked");
        // Damage that is never noticed, or always, would not be much of a test.
        Assert.That(refused, Is.GreaterThan(rounds / 10));
        Assert.That(worked, Is.GreaterThan(0));
    }

    private static void OpenFile(string path)
    {
        using var file = SafeTensorsFile.Open(path);
        var buffer = new byte[new FileInfo(path).Length];
        foreach (var tensor in file.Tensors.Values) file.Read(tensor, buffer.AsSpan(0, checked((int)tensor.Length)));
    }

    private void Run()
    {
        var model = LoadedModel.Open(folder.Path, Options, null, default);
        using var engine = new Engine(model, Options);
        engine.DefaultSampling.Validate();
        Assert.That(engine.MaxTokens, Is.GreaterThan(0));
        Assert.That(model.Warnings, Has.All.Not.Empty);
        if (engine.MaxTokens < 3) return;
        var trace = PromptRun.Trace(model, [1, 2]);
        Assert.That(trace.Logits, Has.Length.EqualTo(2 * engine.Config.VocabularySize));
    }
}

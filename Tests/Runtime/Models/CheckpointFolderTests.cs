using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>What the files of a folder say together: which of two copies counts, what ends a reply, and what is looked at first.</summary>
public sealed class CheckpointFolderTests
{
    private const string First = "model-00001-of-00002.safetensors";
    private const string Second = "model-00002-of-00002.safetensors";
    private const string Gate = "model.layers.0.block_sparse_moe.gate.weight";
    private TinyFolder folder = null!;

    [SetUp]
    public void Write() => folder = new TinyFolder(tokenizer: true);

    [TearDown]
    public void Delete() => folder.Dispose();

    [Test]
    public void A_copy_of_a_tensor_in_another_file_is_a_warning_and_the_index_decides()
    {
        Copy(bytes => bytes);
        using var model = Load();
        Assert.That(model.Warnings, Has.One.Contains(Gate).And.One.Contains(Second).And.One.Contains(First));
    }

    [Test]
    public void A_copy_with_other_values_is_refused_with_both_files()
    {
        Copy(bytes =>
        {
            bytes[^1] ^= 1;
            return bytes;
        });
        Refuses(Gate, First, Second);
    }

    [Test]
    public void A_copy_of_another_type_is_refused()
    {
        Copy(bytes => bytes, DType.I32);
        Refuses(Gate, First, Second);
    }

    [Test]
    public void End_tokens_are_those_of_both_files()
    {
        var own = TokenizerEnd();
        Assert.That(own, Is.Not.EqualTo(7));
        Set("generation_config.json", "eos_token_id", 7);
        Assert.That(Ends(), Is.EqualTo(new[] { 7, own }));
        Set("generation_config.json", "eos_token_id", new JsonArray(own, 7));
        Assert.That(Ends(), Is.EqualTo(new[] { own, 7 }));
        Set("generation_config.json", "eos_token_id", null);
        Set("config.json", "eos_token_id", 9);
        Assert.That(Ends(), Is.EqualTo(new[] { own }), "config.json is not asked");
    }

    [Test]
    public void Config_s_end_token_counts_only_where_nothing_else_says_and_is_no_default_of_another_class()
    {
        Set("generation_config.json", "eos_token_id", null);
        Set("tokenizer_config.json", "eos_token", null);
        Assert.That(Ends(), Is.Empty);
        Set("config.json", "eos_token_id", 9);
        Assert.That(Ends(), Is.EqualTo(new[] { 9 }));
        Set("config.json", "eos_token_id", new JsonArray(9, 10));
        Assert.That(Ends(), Is.EqualTo(new[] { 9, 10 }));
        Set("config.json", "eos_token_id", 2);
        Assert.That(Ends(), Is.Empty);
        using var checkpoint = Checkpoint.Open(folder.Path);
        Assert.That(checkpoint.Warnings, Has.One.Contains("eos_token_id"));
    }

    [TestCase("tokenizer.json", "{")]
    [TestCase("chat_template.jinja", "{% if %}")]
    [TestCase("tokenizer_config.json", "[]")]
    [TestCase("generation_config.json", "{\"temperature\": -1}")]
    public void What_is_wrong_with_a_small_file_shows_before_any_weight_is_read(string name, string text)
    {
        Damage();
        Refuses("weight_packed", "codes");
        File.WriteAllText(Path.Combine(folder.Path, name), text);
        Refuses(name);
    }

    [Test]
    public void Opening_headers_alone_makes_a_warning_of_it()
    {
        File.WriteAllText(Path.Combine(folder.Path, "tokenizer.json"), "{");
        Set("generation_config.json", "top_p", 7);
        using var checkpoint = Checkpoint.OpenHeaders(folder.Path);
        Assert.That(checkpoint.Tokenizer, Is.Null);
        Assert.That(checkpoint.Template, Is.Not.Null);
        Assert.That(checkpoint.Warnings, Has.One.Contains("tokenizer.json").And.One.Contains("top_p"));
    }

    [Test]
    public void A_tokenizer_that_numbers_otherwise_than_its_files_state_is_a_warning()
    {
        Set("tokenizer_config.json", "added_tokens_decoder", new JsonObject { ["4000"] = new JsonObject { ["content"] = "<new>" } });
        using var model = Load();
        Assert.That(model.Warnings, Has.One.Contains("<new>").And.One.Contains("4000"));
        Assert.That(model.Tokenizer!.TryGetId("<new>", out _), Is.True);
    }

    private int TokenizerEnd()
    {
        using var checkpoint = Checkpoint.Open(folder.Path);
        var text = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Path, "tokenizer_config.json")))!["eos_token"]!;
        Assert.That(checkpoint.Tokenizer!.TryGetId(text is JsonObject ? (string)text["content"]! : (string)text!, out var id), Is.True);
        return id;
    }

    private IReadOnlyList<int> Ends()
    {
        using var checkpoint = Checkpoint.Open(folder.Path);
        return checkpoint.EndTokens;
    }

    private void Set(string file, string key, JsonNode? value)
    {
        var path = Path.Combine(folder.Path, file);
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        json[key] = value;
        File.WriteAllText(path, json.ToJsonString());
    }

    // The second shard gets a tensor that the index places in the first.
    private void Copy(Func<byte[], byte[]> change, DType? type = null)
    {
        var tensors = Read(Second);
        var gate = Read(First).Single(tensor => tensor.Entry.Name == Gate);
        tensors.Add((gate.Entry with { Type = type ?? gate.Entry.Type }, change(gate.Bytes)));
        Write(Second, tensors);
    }

    // A packed tensor loses its last word.
    private void Damage()
    {
        var tensors = Read(First);
        var at = tensors.FindIndex(tensor => tensor.Entry.Name.EndsWith("experts.0.w1.weight_packed", StringComparison.Ordinal));
        var (entry, bytes) = tensors[at];
        tensors[at] = (entry with { Shape = [entry.Shape[0], entry.Shape[1] - 1] }, bytes[..^(4 * (int)entry.Shape[0])]);
        Write(First, tensors);
    }

    private List<(TensorEntry Entry, byte[] Bytes)> Read(string name)
    {
        using var file = SafeTensorsFile.Open(Path.Combine(folder.Path, name));
        return [.. file.Tensors.Values.Select(entry =>
        {
            var bytes = new byte[entry.Length];
            file.Read(entry, bytes);
            return (entry, bytes);
        })];
    }

    private void Write(string name, List<(TensorEntry Entry, byte[] Bytes)> tensors) => SafeTensorsWriter.Write(Path.Combine(folder.Path, name),
        [.. tensors.Select(tensor => new TensorToWrite(tensor.Entry.Name, tensor.Entry.Type, tensor.Entry.Shape, tensor.Bytes))]);

    private LoadedModel Load() => LoadedModel.Open(folder.Path, new EngineOptions { Threads = 1 }, null, default);

    private void Refuses(params string[] words)
    {
        var refused = Assert.Catch<BadInputException>(() => Load().Dispose())!;
        foreach (var word in words) Assert.That(refused.Message, Does.Contain(word));
    }
}

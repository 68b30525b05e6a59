using System.Collections.Concurrent;
using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Tokenizers;

namespace Quilt.Tests.Formats.Tokenizers;

/// <summary>
/// Ids, texts and streams of another library, for every tokenizer at hand.
/// </summary>
[Category("Conformance")]
[TestFixtureSource(nameof(Goldens))]
[Parallelizable(ParallelScope.Self)]
public sealed class TokenizerGoldenTests(string? golden)
{
    private static readonly ConcurrentDictionary<string, Tokenizer> Opened = new();
    private JsonDocument document = null!;
    private Tokenizer tokenizer = null!;

    public static IEnumerable<TestFixtureData> Goldens()
    {
        foreach (var file in Shared.Files("tokenizers", "*.golden.json").Concat(Shared.Files("tokenizers/corner", "*.golden.json")))
        {
            if (file is null || TokenizerFile(file) is not null) yield return new TestFixtureData(file).SetArgDisplayNames(TokenizerFiles.Name(file));
        }
    }

    [OneTimeSetUp]
    public void Open()
    {
        document = JsonDocument.Parse(File.ReadAllText(Shared.Require(golden)));
        var path = TokenizerFile(golden!)!;
        tokenizer = Opened.GetOrAdd(path, _ => Tokenizer.Read(TokenizerFiles.Bytes(path), path));
    }

    [OneTimeTearDown]
    public void Close() => document?.Dispose();

    [Test]
    public void Encodes_and_decodes_as_the_reference_does()
    {
        // The reference cuts and fills up every encoding where the file says so; here that is asked for.
        var fits = tokenizer.Parts.Truncation is not null || tokenizer.Parts.Padding is not null;
        foreach (var c in Cases("encode"))
        {
            var text = c.GetProperty("text").GetString()!;
            Assert.That(Encode(text, special: false, plain: false), Is.EqualTo(Integers(c.GetProperty("ids"))), text);
            var special = Integers(c.GetProperty("ids_special"));
            Assert.That(Encode(text, special: true, plain: false), Is.EqualTo(special), text);
            if (c.TryGetProperty("ids_plain", out var plain))
                Assert.That(Encode(text, special: false, plain: true), Is.EqualTo(Integers(plain)), text);
            Assert.That(tokenizer.Decode(special), Is.EqualTo(c.TryGetProperty("decoded", out var decoded) ? decoded.GetString() : text), text);
            Assert.That(tokenizer.Decode(special, skipSpecialTokens: true),
                Is.EqualTo(c.TryGetProperty("decoded_skip", out var skipped) ? skipped.GetString() : text), text);
        }
        foreach (var c in Cases("pairs"))
        {
            var (ids, types) = tokenizer.EncodeInput(c.GetProperty("first").GetString()!, c.GetProperty("second").GetString());
            Assert.That(ids, Is.EqualTo(Integers(c.GetProperty("ids"))));
            Assert.That(types, Is.EqualTo(Integers(c.GetProperty("type_ids"))));
        }
        foreach (var c in Cases("decode"))
        {
            var ids = Integers(c.GetProperty("ids"));
            Assert.That(tokenizer.Decode(ids), Is.EqualTo(c.GetProperty("text").GetString()), string.Join(',', ids));
            Assert.That(tokenizer.Decode(ids, skipSpecialTokens: true), Is.EqualTo(c.GetProperty("text_skip").GetString()), string.Join(',', ids));
        }

        int[] Encode(string text, bool special, bool plain)
        {
            var input = tokenizer.EncodeInput(text, null, special, plain).Ids;
            if (!fits) Assert.That(tokenizer.Encode(text, special, plain), Is.EqualTo(input), text);
            return input;
        }
    }

    [Test]
    public void Streams_as_the_reference_does()
    {
        foreach (var c in Cases("stream"))
        {
            var ids = Integers(c.GetProperty("ids"));
            var skip = c.GetProperty("skip_special_tokens").GetBoolean();
            var prefill = c.TryGetProperty("prefill", out var before) ? Integers(before) : [];
            var stream = tokenizer.Stream(skip, prefill);
            var expected = c.GetProperty("pieces").EnumerateArray().ToArray();
            for (var i = 0; i < ids.Length && i < expected.Length; i++)
            {
                if (expected[i].ValueKind == JsonValueKind.Object) break;          // there the reference gave up
                Assert.That(stream.Push(ids[i]), Is.EqualTo(expected[i].GetString() ?? ""), $"step {i} of {string.Join(',', ids)}");
            }
            if (prefill.Length == 0) Assert.That(tokenizer.Decode(ids, skip), Is.EqualTo(c.GetProperty("full").GetString()));
        }
    }

    [Test]
    public void Ids_and_tokens_are_the_file_s()
    {
        foreach (var c in Cases("vocab"))
        {
            var (id, token) = (c.GetProperty("id"), c.GetProperty("token"));
            if (id.ValueKind == JsonValueKind.Number) Assert.That(tokenizer.Token(id.GetInt32()), Is.EqualTo(token.GetString()));
            if (token.ValueKind == JsonValueKind.String)
                Assert.That(tokenizer.TryGetId(token.GetString()!, out var found)
                    ? found
                    : (int?)null, Is.EqualTo(id.ValueKind == JsonValueKind.Number ? id.GetInt32() : (int?)null));
        }
    }

    private IEnumerable<JsonElement> Cases(string key) => document.RootElement.TryGetProperty(key, out var list) ? list.EnumerateArray() : [];

    private static int[] Integers(JsonElement list) => [.. list.EnumerateArray().Select(x => x.GetInt32())];

    /// <summary>The tokenizer a golden file is about; null where it is about something else.</summary>
    private static string? TokenizerFile(string golden)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(golden));
        return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("tokenizer", out var name)
            && name.ValueKind == JsonValueKind.String
            ? Path.Combine(Path.GetDirectoryName(golden)!, name.GetString()!)
            : null;
    }
}

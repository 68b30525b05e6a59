using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using Microsoft.ML.Tokenizers;
using Quilt.Tests.TinyModels;
using Tokenizer = Quilt.Formats.Tokenizers.Tokenizer;

namespace Quilt.Tests.Formats.Tokenizers;

/// <summary>
/// The demo model's tokenizer on any text: no text is lost, and Microsoft.ML.Tokenizers, given the same vocabulary, merges and pattern, finds the
/// same ids.
/// </summary>
[Parallelizable(ParallelScope.Self)]
public sealed class OtherTokenizerTests
{
    private static readonly Gen<string> Scalars = Gen.OneOf(Gen.Int[0, 0x7F], Gen.Int[0x80, 0x7FF], Gen.Int[0x800, 0xD7FF], Gen.Int[0xE000, 0xFFFF],
        Gen.Int[0x10000, 0x10FFFF]).Select(char.ConvertFromUtf32);

    private static readonly Gen<string> Words = Gen.OneOf(
        "the", " the", "capital", " of", "France", "WORLD", "Don't", "it's", "I'LL", "12", "3.14", "\n", "\r\n", "  ", "\t", " ", "...", "/", "//\n",
        "naïve", "Straße", "漢字", "한국", "e\u0301", "😀", "👩‍👩‍👧", "\u00A0", "\u3000", "x = y + 1;");

    private static readonly Gen<string> Texts = Gen.OneOf(Words, Scalars, Gen.Char[' ', '~'].Array[1, 8].Select(c => new string(c))).Array[0, 30]
        .Select(string.Concat);

    [Test]
    public void Gives_back_every_text()
    {
        var tokenizer = Tokenizer.Open(TinyMiniMax.Demo);
        Texts.Sample(text => tokenizer.Decode(tokenizer.Encode(text)) == text
            && tokenizer.Decode(tokenizer.Encode(text, encodeSpecialTokens: true)) == text, iter: 5000);
    }

    [Test]
    public void Finds_the_ids_that_another_implementation_finds()
    {
        var path = Path.Combine(TinyMiniMax.Demo, "tokenizer.json");
        using var json = JsonDocument.Parse(File.ReadAllText(path));
        var (tokenizer, other) = (Tokenizer.Open(TinyMiniMax.Demo), Other(json.RootElement));
        var added = json.RootElement.GetProperty("added_tokens").EnumerateArray().Select(token => token.GetProperty("content").GetString()!)
            .ToArray();
        Texts.Where(text => !added.Any(token => text.Contains(token, StringComparison.Ordinal)) && SameClasses(text)).Sample(text =>
        {
            var expected = other.EncodeToIds(text, considerPreTokenization: true, considerNormalization: false);
            Assert.That(tokenizer.Encode(text), Is.EqualTo(expected), () => JsonSerializer.Serialize(text));
        }, iter: 5000);
    }

    // .NET's patterns see UTF-16: above U+FFFF every character is two surrogates, of no class, where it may be a letter here.
    private static bool SameClasses(string text) => !text.Any(char.IsSurrogate);

    private static BpeTokenizer Other(JsonElement file)
    {
        var model = file.GetProperty("model");
        var vocabulary = model.GetProperty("vocab").EnumerateObject().Select(token => KeyValuePair.Create(token.Name, token.Value.GetInt32()));
        var merges = model.GetProperty("merges").EnumerateArray().Select(merge => $"{merge[0].GetString()} {merge[1].GetString()}");
        var pattern = file.GetProperty("pre_tokenizer").GetProperty("pretokenizers")[0].GetProperty("pattern").GetProperty("Regex").GetString()!;
        return BpeTokenizer.Create(new BpeOptions(vocabulary)
        {
            Merges = merges,
            ByteLevel = true,
            PreTokenizer = new RegexPreTokenizer(new Regex(pattern, RegexOptions.CultureInvariant), null),
        });
    }
}

using System.Text;
using System.Text.Json;
using Quilt.Formats.Grammars;
using Quilt.Formats.Tokenizers;

namespace Quilt.Tests.Formats.Grammars;

/// <summary>A tokenizer of some tokens, with a special one and an end.</summary>
internal static class SmallVocabulary
{
    public const string Special = "<call>";

    /// <summary>The vocabulary of some texts; the special token comes behind them, then the end.</summary>
    public static GrammarVocabulary Of(IEnumerable<string> tokens, out int special, out int end)
    {
        var all = tokens.Distinct(StringComparer.Ordinal).ToArray();
        special = all.Length;
        end = all.Length + 1;
        var json = new
        {
            version = "1.0",
            added_tokens = new[]
            {
                new { id = special, content = Special, special = true, single_word = false, lstrip = false, rstrip = false, normalized = false },
                new { id = end, content = "<end>", special = true, single_word = false, lstrip = false, rstrip = false, normalized = false },
            },
            decoder = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = false, use_regex = false },
            model = new { type = "BPE", vocab = all.Select((token, id) => (Spell(token), id)).ToDictionary(), merges = Array.Empty<string>() },
        };
        return new GrammarVocabulary(Tokenizer.Read(JsonSerializer.SerializeToUtf8Bytes(json), "small"), [end]);
    }

    // The byte alphabet of byte-level tokenizers.
    private static string Spell(string token)
    {
        var text = new StringBuilder();
        foreach (var value in Encoding.UTF8.GetBytes(token))
        {
            if (value is >= 33 and <= 126 or >= 161 and <= 172 or >= 174) text.Append((char)value);
            else text.Append((char)(256 + (value < 33 ? value : value < 161 ? value - 127 + 33 : 67)));
        }
        return text.ToString();
    }
}

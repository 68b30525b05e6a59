using System.CommandLine;
using System.Text;
using Quilt.Formats.Tokenizers;

namespace Quilt.Cli.Verbs;

/// <summary><c>tokenize [TEXT]</c>: text to ids.</summary>
internal static class TokenizeVerb
{
    public static Command Create()
    {
        var text = new Argument<string?>("TEXT") { Description = "The text; left out: standard input, byte for byte as UTF-8.",
            Arity = ArgumentArity.ZeroOrOne };
        var special = new Option<bool>("--special") { Description = "Add what the tokenizer's template puts around a text." };
        var model = new ModelOptions().Model;
        var command = new Command("tokenize", "Prints the token ids of a text as a JSON array.") { text, special, model };

        command.SetAction(async (parsed, cancel) =>
        {
            var tokenizer = Tokenizer.Open(parsed.GetValue(model)!);
            var bytes = parsed.GetValue(text) is { } given ? Encoding.UTF8.GetBytes(given) : await ReadAll(cancel);
            var ids = tokenizer.EncodeUtf8(bytes, parsed.GetValue(special));
            Console.Out.WriteLine($"[{string.Join(',', ids)}]");
            return 0;
        });
        return command;
    }

    private static async Task<byte[]> ReadAll(CancellationToken cancel)
    {
        using var input = Console.OpenStandardInput();
        using var all = new MemoryStream();
        await input.CopyToAsync(all, cancel);
        return all.ToArray();
    }
}

using System.CommandLine;
using Quilt.Formats.Tokenizers;

namespace Quilt.Cli.Verbs;

/// <summary><c>detokenize IDS</c>: ids to text.</summary>
internal static class DetokenizeVerb
{
    public static Command Create()
    {
        var ids = new Argument<string[]>("IDS") { Description = "Token ids, e.g. 1,2,3 or [1, 2, 3].", Arity = ArgumentArity.OneOrMore };
        var keep = new Option<bool>("--keep-special") { Description = "Print special tokens too." };
        var model = new ModelOptions().Model;
        var command = new Command("detokenize", "Prints the text of token ids, exactly.") { ids, keep, model };

        command.SetAction(parsed =>
        {
            var list = TokenIds.Parse("IDS", parsed.GetValue(ids)!);
            var tokenizer = Tokenizer.Open(parsed.GetValue(model)!);
            Console.Out.Write(tokenizer.Decode(list, skipSpecialTokens: !parsed.GetValue(keep)));
            return 0;
        });
        return command;
    }
}

using System.CommandLine;
using System.Text;
using Quilt.Runtime;

namespace Quilt.Cli;

/// <summary>What form a reply must have: the options of `chat` and `complete`.</summary>
internal sealed class OutputArguments
{
    private readonly Option<string?> schema = new("--schema") { Description = "The reply is JSON that this JSON schema allows.", HelpName = "FILE" };
    private readonly Option<string?> regex =
        new("--regex") { Description = "The whole reply matches this regular expression.", HelpName = "PATTERN" };
    private readonly Option<string[]> choice =
        new("--choice") { Description = "The reply is one of these texts; may be given several times.", HelpName = "TEXT" };
    private readonly Option<string?> grammar =
        new("--grammar") { Description = "The reply is a text of this grammar, in EBNF, GBNF or Lark's notation.", HelpName = "FILE" };
    private readonly Option<bool> json = new("--json-object") { Description = "The reply is a JSON object, any." };

    /// <summary>Adds all of them to a verb.</summary>
    public OutputArguments AddTo(Command command)
    {
        Option[] options = [schema, json, regex, choice, grammar];
        foreach (var option in options) command.Options.Add(option);
        return this;
    }

    /// <summary>The form that was asked for; null: none.</summary>
    /// <exception cref="UsageException">There are several.</exception>
    /// <exception cref="Formats.BadInputException">A file cannot be read.</exception>
    public StructuredOutput? Read(ParseResult parsed)
    {
        var forms = new List<StructuredOutput>();
        if (parsed.GetValue(schema) is { } file) forms.Add(StructuredOutput.JsonSchema(Text(file)));
        if (parsed.GetValue(json)) forms.Add(StructuredOutput.Json);
        if (parsed.GetValue(regex) is { } pattern) forms.Add(StructuredOutput.Regex(pattern));
        if (parsed.GetValue(choice) is { Length: > 0 } texts) forms.Add(StructuredOutput.Choice(texts));
        if (parsed.GetValue(grammar) is { } rules) forms.Add(StructuredOutput.Ebnf(Text(rules)));
        if (forms.Count > 1) throw new UsageException("--schema, --json-object, --regex, --choice, --grammar: expected one of them at most");
        return forms.FirstOrDefault();
    }

    private static string Text(string file) => Encoding.UTF8.GetString(InputFile.ReadBytes(file));
}

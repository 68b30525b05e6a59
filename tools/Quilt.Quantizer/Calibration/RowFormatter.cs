using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Formats.Chat.Jinja;
using Quilt.Quantizer.Yaml;

namespace Quilt.Quantizer.Calibration;

/// <summary>
/// Makes messages of rows, the way an entry says. Whatever does not fit is told when the first row comes, as in the original: an unknown formatter, a
/// wrong number of columns, a parameter the formatter does not take.
/// </summary>
internal sealed class RowFormatter
{
    private const string Prefix = "prefix";
    private readonly CalibrationEntry entry;
    private readonly RowTemplate? prefix;
    private readonly IReadOnlyList<ListChoice> choices = [];
    private readonly RowMessages messages;

    public RowFormatter(CalibrationEntry entry, CalibrationNotes notes)
    {
        this.entry = entry;
        messages = new RowMessages(entry, notes);
        if (entry.Parameters.FirstOrDefault(parameter => parameter.Key == Prefix).Value is not { IsNull: false } node) return;
        var text = node.Written();
        prefix = new RowTemplate(text, $"{node.File}: {node.Path}");
        if (RowTemplate.IsOne(text)) choices = [.. ListChoice.In(text)];
    }

    /// <summary>A row's messages.</summary>
    /// <exception cref="BadInputException">The row does not fit; the message names it, and what was expected of it.</exception>
    public CalibrationConversation Format(CalibrationRow row)
    {
        CheckEntry(row);
        var values = (JinjaDict)Template.FromJson(row.Values)!;
        var made = messages.Of(row, prefix is null ? "" : Render(prefix, row, values));
        return new(entry, row, made, [.. choices.Select(choice => choice.For(values))]);
    }

    private void CheckEntry(CalibrationRow row)
    {
        var columns = entry.Formatter switch
        {
            "chat_completion" or "sharegpt" or "raw_text" or "deepmind_code_contests" => 1,
            "chat_completion_with_sysprompt" or "prompt_answer" => 2,
            _ => throw row.Bad($"expected one of the formatters {string.Join(", ", RowMessages.Formatters)}, found {entry.Formatter}"),
        };
        if (entry.Columns.Count != columns)
            throw row.Bad($"{entry.Formatter} expects {columns} column{(columns == 1 ? "" : "s")}, found {string.Join(", ", entry.Columns)}");
        foreach (var (name, node) in entry.Parameters)
        {
            if (entry.Formatter != "raw_text" || name != Prefix)
                throw new BadInputException(node.File, node.Path, $"expected no such parameter of {entry.Formatter}, found {name}");
        }
    }

    private static string Render(RowTemplate template, CalibrationRow row, JinjaDict values)
    {
        try
        {
            return template.Render(values);
        }
        catch (JinjaException e)
        {
            throw row.Bad(e.Message, e);
        }
    }
}

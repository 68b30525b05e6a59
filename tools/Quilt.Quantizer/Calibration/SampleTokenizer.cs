using System.Globalization;
using Quilt.Formats;
using Quilt.Formats.Chat;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tokenizers;

namespace Quilt.Quantizer.Calibration;

/// <summary>
/// From the rows of a set to tokens: the checkpoint's chat template without a generation prompt, its tokenizer without adding special tokens, what is
/// too long cut at its end, and all of it in the set's order.
/// </summary>
internal sealed class SampleTokenizer
{
    private readonly CalibrationSet set;
    private readonly ChatTemplate template;
    private readonly Tokenizer tokenizer;

    /// <exception cref="BadInputException">The checkpoint lacks its tokenizer or its template.</exception>
    public SampleTokenizer(CalibrationSet set, Checkpoint checkpoint)
    {
        this.set = set;
        template = checkpoint.Template ?? throw Lacks(checkpoint, "chat template");
        tokenizer = checkpoint.Tokenizer ?? throw Lacks(checkpoint, "tokenizer");
    }

    private static BadInputException Lacks(Checkpoint checkpoint, string what) =>
        new(checkpoint.Folder, null, $"expected a {what} to calibrate with, found none");

    /// <inheritdoc cref="CalibrationSet.Load"/>
    public CalibrationSamples Run(string dataFolder, IProgress<CalibrationProgress>? progress, CancellationToken cancel)
    {
        var notes = new CalibrationNotes();
        var coverage = new CalibrationCoverage(set.Entries);
        var samples = new List<CalibrationSample>();
        foreach (var conversation in set.Format(dataFolder, notes, cancel))
        {
            var sample = Tokenize(conversation, out var text);
            samples.Add(sample);
            coverage.Add(sample, text, conversation.Asked);
            progress?.Report(new(samples.Count, conversation.Entry));
        }
        var ordered = set.Order(samples.Count).Select(place => samples[place]).ToList();
        var empty = ordered.RemoveAll(sample => sample.Ids.Length == 0);
        if (empty > 0) notes.Warn($"{empty.ToString(CultureInfo.InvariantCulture)} rows with nothing to say are left out");
        return ordered.Count > 0
            ? new(ordered, notes.Missing, notes.Warnings, coverage)
            : throw new BadInputException(set.Origin, null, "expected samples to calibrate with, found none with a token");
    }

    private CalibrationSample Tokenize(CalibrationConversation conversation, out string text)
    {
        text = Render(conversation);
        var ids = tokenizer.Encode(text);
        var isCut = ids.Length > set.MaxLength;
        if (isCut)
        {
            ids = ids[..set.MaxLength];
            text = tokenizer.Decode(ids);
        }
        return new(ids, conversation.Entry, conversation.Row.Number, isCut);
    }

    private string Render(CalibrationConversation conversation)
    {
        if (conversation.Messages.Count == 0) return "";
        var prompt = new Conversation { AddGenerationPrompt = false };
        foreach (var message in conversation.Messages) prompt.Add(message);
        try
        {
            return template.Render(prompt);
        }
        catch (BadInputException e)
        {
            var (dataset, row) = (conversation.Entry.Name, conversation.Row);
            throw row.Bad($"{dataset}: expected messages that the chat template takes, it says: {e.Message}", e);
        }
    }
}

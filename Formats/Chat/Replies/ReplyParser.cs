namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Understands a reply while it is generated: text in, thinking, text and tool calls out. Text is passed on at once; only what may be the beginning
/// of a marker, or of a call, is held back, and not for long. Time is linear in the text whatever it holds, memory is bounded by one call's
/// arguments, and no text makes it throw. One parser reads one reply, on one thread.
/// </summary>
public abstract class ReplyParser
{
    private readonly ReplyOptions options;

    private protected ReplyParser(ReplyOptions options) => this.options = options;

    /// <summary>Names of the dialects, sorted.</summary>
    public static IReadOnlyList<string> Dialects { get; } = [.. Dialect.ByName.Keys.Order(StringComparer.Ordinal)];

    /// <summary>
    /// The dialect of a model by the text of its chat template, whose markers tell; <c>text</c>, or <c>think</c>, where its calls are written in none
    /// of <see cref="Dialects"/>.
    /// </summary>
    /// <param name="template">The template as it is written.</param>
    public static string FindDialect(string template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return DialectFinder.Find(template);
    }

    /// <summary>
    /// Whether a prompt's end leaves the model inside its thinking, whatever the dialect: behind the marker, or the words, with which it begins.
    /// </summary>
    /// <param name="prompt">The prompt.</param>
    public static bool EndsInThinking(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var end = prompt.AsSpan().TrimEnd();
        foreach (var opening in Dialect.AllOpenings)
        {
            if (end.EndsWith(opening)) return true;
        }
        return false;
    }

    /// <summary>A parser for one reply.</summary>
    /// <param name="dialect">One of <see cref="Dialects"/>.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="BadInputException">There is no such dialect, or the tools are not a list.</exception>
    public static ReplyParser Create(string dialect, ReplyOptions? options = null) => Dialect.ByName.TryGetValue(dialect, out var known)
        ? known.Create(options ?? new ReplyOptions())
        : throw new BadInputException("dialect", dialect, $"expected one of {string.Join(", ", Dialects)}");

    /// <summary>The dialect's markers, which the parser has to see: many are special tokens, which a detokenizer may leave out.</summary>
    public abstract IReadOnlyList<string> Markers { get; }

    /// <summary>The marker with which thinking begins; null where the dialect has none, or none that always stands there.</summary>
    public abstract string? ThinkingBegin { get; }

    /// <summary>The marker that ends thinking, which a model can be made to write; null where the dialect has none.</summary>
    public abstract string? ThinkingEnd { get; }

    /// <summary>Whether the reply, as far as it is known, is inside thinking.</summary>
    public abstract bool IsThinking { get; }

    /// <summary>Whether the reply, as far as it is known, is inside a block of tool calls.</summary>
    public abstract bool IsInToolCalls { get; }

    /// <summary>Takes the next piece of text, of any length, and adds what is certain now to <paramref name="events"/>.</summary>
    public abstract void Push(ReadOnlySpan<char> piece, ICollection<ReplyEvent> events);

    /// <summary>Takes the next token. A token without text that is one of <see cref="ReplyOptions.MarkerIds"/> is read as that marker.</summary>
    /// <param name="id">The token.</param>
    /// <param name="piece">Its text, empty where the detokenizer left it out.</param>
    /// <param name="events">Where events are added.</param>
    public void Push(int id, ReadOnlySpan<char> piece, ICollection<ReplyEvent> events)
    {
        if (piece.IsEmpty && options.MarkerIds is { } ids)
        {
            foreach (var marker in Markers)
            {
                if (!ids.TryGetValue(marker, out var known) || known != id) continue;
                PushUnwritten(marker, events);
                return;
            }
        }
        Push(piece, events);
    }

    /// <summary>The reply is over: releases what was held back and closes what is open. To be called once, behind the last piece.</summary>
    public abstract void Finish(ICollection<ReplyEvent> events);

    /// <summary>Where a whole reply, given as token ids, thinks; markers are known by <see cref="ReplyOptions.MarkerIds"/>.</summary>
    public abstract ThinkingSpan FindThinking(ReadOnlySpan<int> ids);

    /// <summary>Takes a marker that came as a token without text.</summary>
    private protected abstract void PushUnwritten(string marker, ICollection<ReplyEvent> events);

    /// <summary>A marker's token id, null where it is not known.</summary>
    private protected int? MarkerId(string marker) => options.MarkerIds is { } ids && ids.TryGetValue(marker, out var id) ? id : null;
}

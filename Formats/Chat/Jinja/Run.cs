using System.Runtime.CompilerServices;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>One rendering: its limits, its clock and where it is.</summary>
internal sealed class Run(TemplateSource source, TimeProvider time)
{
    /// <summary>Longest text a value or the output may become, in UTF-16 units.</summary>
    public const int MaxText = 1 << 22;

    private const int MaxSteps = 4_000_000;
    private const int MaxDepth = 400;
    [ThreadStatic]
    private static Run? current;
    private int steps;
    private int depth;

    public TemplateSource Source { get; } = source;

    public TemplateStyle Style => Source.Style;

    /// <summary>Whether the rendering on this thread fails on what is not there.</summary>
    public static bool IsStrict => current?.Style.IsStrict ?? false;

    public TimeProvider Time { get; } = time;

    /// <summary>Line of the statement that runs, for messages.</summary>
    public int Line { get; set; } = 1;

    /// <summary>Names every template has.</summary>
    public Scope Globals { get; } = new(null);

    /// <summary>Names of the template itself.</summary>
    public Scope Top { get; set; } = new(null);

    /// <summary>Counts work: a step, and one more for every 16 characters made.</summary>
    public void Spend(long characters = 0)
    {
        steps += 1 + (int)Math.Min(characters >> 4, MaxSteps);
        if (steps > MaxSteps) throw new JinjaError($"the template needs more than {MaxSteps} steps");
    }

    /// <summary>Counts a text that was made, or is about to be.</summary>
    public void SpendText(long characters)
    {
        if (characters > MaxText) throw new JinjaError($"a text longer than {MaxText} characters is not allowed");
        Spend(characters);
    }

    /// <summary>Makes this the rendering whose limits hold on this thread; returns the one before.</summary>
    public static Run? Enter(Run? run)
    {
        var before = current;
        current = run;
        return before;
    }

    /// <summary>A step into a value that may be nested or shared without end: comparing, hashing.</summary>
    public static void Step(object? value = null)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new JinjaError("maximum recursion depth exceeded in comparison");
        current?.SpendOn(value);
    }

    /// <summary>Counts characters, or 16 for every element, that the rendering on this thread is about to make.</summary>
    public static void Charge(long characters) => current?.Spend(characters);

    /// <summary>Counts going through a value once: a text, or the elements of a list.</summary>
    public void SpendOn(object? value) => Spend(value switch
    {
        string text => text.Length,
        JinjaMarkup safe => safe.Text.Length,
        JinjaList list => 16L * list.Items.Count,
        JinjaTuple tuple => 16L * tuple.Items.Count,
        JinjaGenerator generator => 16L * generator.Items.Count,
        JinjaView view => 16L * view.Items.Count,
        JinjaDict dict => 16L * dict.Count,
        JinjaRange range => 16L * range.Count,
        System.Numerics.BigInteger whole => 16 * whole.GetBitLength(),
        _ => 0,
    });

    /// <summary>A value as it is printed.</summary>
    public string Printed(object? value) =>
        Style.Escapes && value is not JinjaMarkup ? JinjaMarkup.Escape(Python.Str(value)) : Python.Str(value);

    /// <summary>What a body wrote as a value; it is safe where all that is printed is escaped.</summary>
    public object Captured(string text) => Style.Escapes ? new JinjaMarkup(text) : text;

    /// <summary>A text that was made.</summary>
    public string Made(string text)
    {
        SpendText(text.Length);
        return text;
    }

    public void Enter()
    {
        if (++depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new JinjaError("maximum recursion depth exceeded");
        Spend();
    }

    public void Leave() => depth--;
}

/// <summary>Where statements write.</summary>
internal sealed class Output(Run run)
{
    private readonly StringBuilder text = new();

    public void Write(string piece)
    {
        if (text.Length + piece.Length > Run.MaxText) run.SpendText(Run.MaxText + 1L);
        run.Spend(piece.Length);
        text.Append(piece);
    }

    public override string ToString() => text.ToString();
}

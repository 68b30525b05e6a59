using System.Text;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>Tokens of a completion with their probabilities and where in the text they begin.</summary>
internal sealed class CompletionText(Probabilities probabilities, int top)
{
    private readonly List<int> offsets = [];
    private readonly List<float?> own = [];
    private readonly List<string> texts = [];
    private readonly List<Dictionary<string, float>?> most = [];
    private int at;

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => texts.Count == 0;

    /// <summary>A token of the prompt, which is part of the text.</summary>
    public void Add(in PromptScore score)
    {
        var isFirst = float.IsNaN(score.LogProbability);
        Add(score.Id, isFirst ? null : Probabilities.Finite(score.LogProbability),
            isFirst ? null : probabilities.Top(score.Id, score.LogProbability, score.Top));
    }

    /// <summary>A token of the reply.</summary>
    public void Add(in TokenPiece piece) =>
        Add(piece.Id, Probabilities.Finite(piece.LogProbability), top == 0 ? null : probabilities.Top(piece.Id, piece.LogProbability, piece.Top));

    /// <summary>What was added since the last time.</summary>
    public TextLogprobs Take()
    {
        var taken = new TextLogprobs([.. offsets], [.. own], [.. texts], [.. most]);
        offsets.Clear();
        own.Clear();
        texts.Clear();
        most.Clear();
        return taken;
    }

    private void Add(int id, float? probability, Dictionary<string, float>? likely)
    {
        var text = probabilities.TextOf(id);
        offsets.Add(at);
        own.Add(probability);
        texts.Add(text);
        most.Add(likely);
        at += text.Length;
    }
}

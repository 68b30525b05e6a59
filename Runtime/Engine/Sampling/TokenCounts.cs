using System.Runtime.InteropServices;

namespace Quilt.Runtime.Sampling;

/// <summary>The distinct tokens that a request has seen, and how often each is in its output. Adding a token takes constant time.</summary>
internal sealed class TokenCounts
{
    private readonly Dictionary<int, int> places = [];
    private readonly List<int> ids = [];
    private readonly List<int> outputs = [];

    /// <summary>The tokens, each once, in the order in which they came.</summary>
    public ReadOnlySpan<int> Ids => CollectionsMarshal.AsSpan(ids);

    /// <summary>[tokens] how often each is in the output.</summary>
    public ReadOnlySpan<int> Outputs => CollectionsMarshal.AsSpan(outputs);

    /// <summary>Makes room for so many distinct tokens.</summary>
    public void EnsureCapacity(int tokens)
    {
        places.EnsureCapacity(tokens);
        ids.EnsureCapacity(tokens);
        outputs.EnsureCapacity(tokens);
    }

    /// <summary>Takes note of a token, of the prompt or of the output.</summary>
    public void Add(int token, bool isOutput)
    {
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(places, token, out var isKnown);
        if (!isKnown)
        {
            place = ids.Count;
            ids.Add(token);
            outputs.Add(0);
        }
        if (isOutput) CollectionsMarshal.AsSpan(outputs)[place]++;
    }

    /// <summary>Forgets all of them.</summary>
    public void Clear()
    {
        places.Clear();
        ids.Clear();
        outputs.Clear();
    }
}

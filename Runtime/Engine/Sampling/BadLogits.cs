using System.Diagnostics.CodeAnalysis;

namespace Quilt.Runtime.Sampling;

/// <summary>What is said of logits from which nothing can be chosen.</summary>
internal static class BadLogits
{
    /// <summary>Checks the largest logit of a row.</summary>
    /// <exception cref="ArithmeticException">It is NaN or ∞.</exception>
    /// <exception cref="InvalidOperationException">It is −∞.</exception>
    public static void Check(float largest, int token)
    {
        if (float.IsNaN(largest)) ThrowNaN(token);
        if (largest == float.PositiveInfinity) ThrowInfinite(token);
        if (largest == float.NegativeInfinity) ThrowNone();
    }

    /// <summary>A logit is no number.</summary>
    [DoesNotReturn]
    public static void ThrowNaN(int token) =>
        throw new ArithmeticException($"The model's logits are damaged: expected numbers, found NaN for token {token}.");

    /// <summary>A logit is ∞.</summary>
    [DoesNotReturn]
    public static void ThrowInfinite(int token) =>
        throw new ArithmeticException($"The model's logits are damaged: expected finite numbers, found ∞ for token {token}.");

    /// <summary>All logits are −∞.</summary>
    [DoesNotReturn]
    public static void ThrowNone() =>
        throw new InvalidOperationException("No token is left to choose from: grammar, AllowedTokens, BadWords and MinTokens leave none.");
}

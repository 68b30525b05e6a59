using CsCheck;
using Quilt.Quantizer.Quality;

namespace Quilt.Tests.Quantizer.Quality;

/// <summary>Two rows of logits against the definitions.</summary>
public sealed class TokenComparisonTests
{
    private static readonly Gen<(float[], float[])> Rows = Gen.Int[1, 1300].SelectMany(length =>
        Gen.Select(Gen.Float[-30, 30].Array[length], Gen.Float[-30, 30].Array[length]));

    [Test]
    public void A_row_is_compared_by_the_definition() => Rows.Sample((official, model) =>
    {
        var (p, q) = (LogProbabilities(official), LogProbabilities(model));
        var next = official.Length / 2;
        var found = TokenComparison.Of(official, model, next);
        var top = Array.IndexOf(official, official.Max());
        Assert.That(found.Divergence, Is.EqualTo(p.Zip(q, (a, b) => Math.Exp(a) * (a - b)).Sum()).Within(1e-9));
        Assert.That(found.SameTop, Is.EqualTo(top == Array.IndexOf(model, model.Max())));
        Assert.That(found.OfficialTop, Is.EqualTo(Math.Exp(p[top])).Within(1e-12));
        Assert.That(found.ModelTop, Is.EqualTo(Math.Exp(q[top])).Within(1e-12));
        Assert.That(found.OfficialLoss, Is.EqualTo(-p[next]).Within(1e-9));
        Assert.That(found.ModelLoss, Is.EqualTo(-q[next]).Within(1e-9));
    }, iter: 200);

    [Test]
    public void Equal_rows_have_no_divergence_at_all() => Rows.Sample((row, _) =>
        Assert.That(TokenComparison.Of(row, row, -1).Divergence, Is.Zero), iter: 200);

    [Test]
    public void A_shift_of_all_logits_changes_nothing() => Rows.Sample((row, _) =>
    {
        var shifted = Array.ConvertAll(row, value => value + 4);
        Assert.That(TokenComparison.Of(row, shifted, 0).Divergence, Is.EqualTo(0).Within(1e-5), "but for what float32 cannot hold");
    }, iter: 50);

    [Test]
    public void The_last_token_of_a_text_has_no_loss() =>
        Assert.That(TokenComparison.Of([1, 2], [2, 1], -1), Has.Property(nameof(TokenComparison.ModelLoss)).NaN);

    [Test]
    public void Percentiles_are_of_the_nearest_rank()
    {
        Assert.That(Divergence.Of([.. Enumerable.Range(1, 200).Select(i => (double)(201 - i))]), Is.EqualTo(new Divergence(100.5, 100, 198, 200)));
        Assert.That(Divergence.Of([7.0]), Is.EqualTo(new Divergence(7, 7, 7, 7)));
    }

    private static double[] LogProbabilities(float[] logits)
    {
        var largest = (double)logits.Max();
        var log = largest + Math.Log(logits.Sum(logit => Math.Exp(logit - largest)));
        return Array.ConvertAll(logits, logit => logit - log);
    }
}

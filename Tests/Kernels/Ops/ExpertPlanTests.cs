using CsCheck;
using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

public sealed class ExpertPlanTests
{
    [Test]
    public void Lists_pairs_by_expert_with_tokens_ascending()
    {
        var plan = Filled(experts: 4, perToken: 2, [[0, 3], [1, 3], [0, 1]]);

        Assert.That(plan.Offsets[..5], Is.EqualTo(new[] { 0, 2, 4, 4, 6 }));
        Assert.That(plan.PairToken[..6], Is.EqualTo(new[] { 0, 2, 1, 2, 0, 1 }));
        Assert.That(plan.PairExpert[..6], Is.EqualTo(new[] { 0, 0, 1, 1, 3, 3 }));
        Assert.That(plan.PairOf[..6], Is.EqualTo(new[] { 0, 4, 2, 5, 1, 3 }));
        Assert.That(plan.Active[..plan.ActiveCount], Is.EqualTo(new[] { 0, 1, 3 }));
    }

    [Test]
    public void Leads_every_choice_to_its_pair_and_back_whatever_was_planned_before()
    {
        var plan = new ExpertPlan();
        Gen.Select(Gen.Int[1, 9], Gen.Int[1, 5], Gen.Int[0, 20], Gen.Int).Sample((experts, perToken, tokens, seed) =>
        {
            perToken = Math.Min(perToken, experts);
            var random = new Random(seed);
            var ids = Enumerable.Range(0, tokens)
                .Select(_ => Enumerable.Range(0, experts).OrderBy(_ => random.Next()).Take(perToken).Order().ToArray()).ToArray();
            Fill(plan, experts, perToken, ids);
            for (var i = 0; i < plan.Pairs; i++)
            {
                var pair = plan.PairOf[i];
                if (plan.PairToken[pair] != i / perToken || plan.PairExpert[pair] != plan.Ids[i]) return false;
                if (pair < plan.Offsets[plan.Ids[i]] || pair >= plan.Offsets[plan.Ids[i] + 1]) return false;
            }
            return plan.Offsets[experts] == plan.Pairs
                && plan.Active[..plan.ActiveCount].SequenceEqual(ids.SelectMany(row => row).Distinct().Order());
        }, iter: 300, threads: 1);
    }

    private static ExpertPlan Filled(int experts, int perToken, int[][] ids)
    {
        var plan = new ExpertPlan();
        Fill(plan, experts, perToken, ids);
        return plan;
    }

    private static void Fill(ExpertPlan plan, int experts, int perToken, int[][] ids)
    {
        plan.Prepare(ids.Length, perToken, experts);
        for (var t = 0; t < ids.Length; t++) ids[t].CopyTo(plan.Ids, t * perToken);
        plan.Sort();
    }
}

using System.Text.Json;

namespace Quilt.Tests.Kernels.Gpu;

/// <summary>What is asked of a CUDA driver, and what becomes of its errors, shown by one that only stands in.</summary>
[Parallelizable(ParallelScope.Self)]
[TestFixtureSource(nameof(Drivers))]
public sealed class StandInTests(string compiler)
{
    /// <summary>What builds the stand-in, where it can be built.</summary>
    public static IEnumerable<string> Drivers => StandIn.WhyNot is null ? ["cc"] : [];

    private static readonly string[] Reply = ["complete", "--tokens", "1,2,3", "--greedy", "--max-tokens", "9", "--device", "gpu:0", "--json"];

    private StandIn driver = null!;

    /// <summary>A run in which nothing goes wrong.</summary>
    private StandIn.Result usual = null!;

    [OneTimeSetUp]
    public void Build()
    {
        driver = StandIn.Build(compiler);
        usual = driver.Run([], Reply);
    }

    [OneTimeTearDown]
    public void Remove() => driver?.Dispose();

    [Test]
    public void Every_device_is_found_and_named()
    {
        var devices = Doctor("DEVICES=2", "SM=120");
        Assert.That(devices.Keys, Is.SupersetOf(new[] { "gpu:0", "gpu:1" }));
        Assert.That(devices["gpu:1"].Usable, Is.True);
        Assert.That(devices["gpu:1"].Text, Does.Contain("Stand-in 1, sm_120, 132 multiprocessors, driver for CUDA 12.8").And.Not.Contain("slower"));
    }

    [TestCase("FAIL=cuInit:1:803", "different versions")]
    [TestCase("FAIL=cuInit:1:100", "no device")]
    [TestCase("FAIL=cuDeviceGetCount:1:999", "unknown error")]
    [TestCase("DEVICES=0", "sees no device")]
    [TestCase("DRIVER=11000", "expected a driver for CUDA 11.4 or later, found 11.0")]
    [TestCase("SM=37", "expected compute capability 5.0 or later, found 3.7")]
    public void A_device_that_cannot_be_used_says_why(string setting, string why)
    {
        var device = Doctor(setting)["gpu:0"];
        Assert.That(device.Usable, Is.False);
        Assert.That(device.Text, Does.Contain(why));
        var run = driver.Run([setting], Reply);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.StartWith("quilt: gpu:0: ").And.Contain(why).And.Not.Contain('\n'));
    }

    [Test]
    public void What_does_not_fit_is_refused_before_anything_is_allocated()
    {
        var run = driver.Run(["MEMORY=300"], Reply);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error,
            Does.Match(@"^quilt: gpu:0: expected at most 0\.29 GiB, which are free, found \d+\.\d+: " +
                @"weights .*, scratch .*, driver .* and cache .* GiB"));
        Assert.That(run.Count("cuMemAlloc_v2"), Is.Zero);
    }

    [Test]
    public void The_cache_takes_what_its_sequences_could_fill_and_the_device_has()
    {
        long Taken(string memory) =>
            driver.Run([memory], Reply).Calls.Where(call => call.StartsWith("cuMemAlloc_v2 ", StringComparison.Ordinal))
                .Sum(call => long.Parse(call.Split(' ')[1], null));
        var (small, large) = (Taken("MEMORY=800"), Taken("MEMORY=1000"));
        // 512 MiB are the driver's; norms and tables come out of them.
        Assert.That(small, Is.InRange(200L << 20, (800L - 504) << 20));
        Assert.That(large - small, Is.InRange(150L << 20, 250L << 20));
    }

    [Test]
    public void A_decoding_step_is_recorded_once_and_then_run_by_one_call()
    {
        var run = usual;
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Count("cuStreamBeginCapture_v2"), Is.EqualTo(1));
        Assert.That(run.Count("cuGraphInstantiateWithFlags"), Is.EqualTo(1));
        Assert.That(run.Calls.Single(call => call.StartsWith("cuStreamEndCapture ", StringComparison.Ordinal)).Split(' ')[1],
            Is.EqualTo((LaunchesAStep(run) - LaunchesAChoice).ToString()));

        // The first token comes from the prompt, the next two from a step as it is and from the one that is recorded; all others are runs of the
        // recording.
        var after = run.Calls[run.First("cuStreamEndCapture")..];
        Assert.That(after.Count(call => call.StartsWith("cuLaunchKernel", StringComparison.Ordinal)), Is.EqualTo(7 * LaunchesAChoice));
        Assert.That(run.Count("cuGraphLaunch"), Is.EqualTo(7));
        Assert.That(after.Count(call => call.StartsWith("cuMemcpyAsync", StringComparison.Ordinal)), Is.EqualTo((2 * 7) - 1),
            "up once and down once a step");
        Assert.That(after, Has.None.StartsWith("cuMemAlloc"));
    }

    [Test]
    public void A_step_waits_once_and_brings_back_a_few_numbers()
    {
        var after = usual.Calls[usual.First("cuGraphLaunch")..];
        var second = Array.FindIndex(after, 1, call => call == "cuGraphLaunch");
        var third = Array.FindIndex(after, second + 1, call => call == "cuGraphLaunch");
        var step = after[second..third].Select(call => call.StartsWith("cuMemcpyAsync", StringComparison.Ordinal) ? call : call.Split(' ')[0]);
        // The most likely token, its logit and two sums; then the integers of the next step.
        Assert.That(step,
            Is.EqualTo(new[] { "cuGraphLaunch", "cuLaunchKernel", "cuLaunchKernel", "cuMemcpyAsync 16", "cuStreamSynchronize", after[third - 1] }));
        Assert.That(after[third - 1], Does.StartWith("cuMemcpyAsync"));
    }

    // The table of angles has 600 positions when the prompt is read in one step, and 1,200 from the first reply on; the step that reaches position
    // 1,200 needs a longer one, which lies elsewhere.
    [Test]
    public void A_step_is_recorded_anew_once_the_table_of_angles_has_moved()
    {
        var run = driver.Run([], "complete", "--tokens", string.Join(',', Enumerable.Range(1, 600)), "--max-batched-tokens", "600", "--greedy",
            "--max-tokens", "610", "--device", "gpu:0", "--json");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var recorded = run.Calls.Index().Where(call => call.Item == "cuStreamBeginCapture_v2").Select(call => call.Index).ToArray();
        Assert.That(recorded, Has.Length.EqualTo(3), "for up to 1,023 positions, for more, and for more with the longer table");
        var replays = run.Calls[recorded[1]..recorded[2]].Count(call => call.StartsWith("cuGraphLaunch", StringComparison.Ordinal));
        Assert.That(replays, Is.EqualTo(1200 - 1025), "steps at positions 1,025 to 1,199");
    }

    [TestCase("fp8-int4", "bfloat16", "AttendKernel", "PrefillKernel", "ThreeKernel", "GatedKernel")]
    [TestCase("fp8", "fp8", "AttendKernel", "CodesKernel", "PrefillKernel", "ThreeKernel", "GatedKernel")]
    public void Kernels_with_matrix_instructions_are_loaded_launched_and_recorded(string checkpoint, string activations, params string[] kernels)
    {
        var folder = Shared.Require(Shared.Folders("golden/checkpoints").FirstOrDefault(folder => Path.GetFileName(folder) == checkpoint));
        var run = driver.Run(
            ["SM=89"], "complete", "-m", folder, "--tokens", string.Join(',', Enumerable.Range(0, 70).Select(i => 3 + (i % 40))), "--greedy",
            "--max-tokens", "8", "--device",
            "gpu:0", "--activations", activations, "--json");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        foreach (var kernel in kernels) Assert.That(run.Calls, Has.Some.EqualTo($"cuModuleGetFunction Kernel_{kernel}"));
        Assert.That(run.Count("cuGraphLaunch"), Is.GreaterThan(3));
        AssertNothingIsLeft(run);
    }

    [Test]
    public void FP8_activations_need_a_device_that_multiplies_FP8()
    {
        var run = driver.Run(["SM=90"], [.. Reply, "--activations", "fp8"]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.Contain("expected tensor cores that take FP8 (sm_89 or sm_120, CUDA 12.4)").And.Not.Contain('\n'));
    }

    // A layer takes 16: the input's form, the three products, norm and rotation, the cache, attention, form, product, norm, router, choice, form,
    // gate and up, form, down, combine, norm.
    [Test]
    public void A_layer_of_a_decoding_step_is_sixteen_launches()
    {
        var steps = usual.Calls[usual.First("cuStreamBeginCapture_v2")..usual.First("cuStreamEndCapture")];
        Assert.That(steps.Count(call => call.StartsWith("cuLaunchKernel", StringComparison.Ordinal)), Is.EqualTo((16 * 4) + 6),
            "four layers, and embedding, first norm, rows, last norm, form and head");
    }

    [Test]
    public void Everything_that_was_taken_is_given_back()
    {
        var run = usual;
        AssertNothingIsLeft(run);
        Assert.That(run.Count("cuMemFreeHost"), Is.EqualTo(run.Count("cuMemAllocHost_v2")).And.GreaterThan(0));
        Assert.That(run.Count("cuGraphExecDestroy"), Is.EqualTo(run.Count("cuGraphInstantiateWithFlags")));
        Assert.That(run.Count("cuGraphDestroy"), Is.EqualTo(1));
        Assert.That(run.Count("cuStreamDestroy_v2"), Is.EqualTo(run.Count("cuStreamCreate")));
        Assert.That(run.Count("cuCtxDestroy_v2"), Is.EqualTo(run.Count("cuCtxCreate_v2")));
    }

    [TestCase("cuStreamBeginCapture_v2:1:900")]
    [TestCase("cuStreamEndCapture:1:901")]
    [TestCase("cuGraphInstantiateWithFlags:1:801")]
    public void Where_recording_fails_every_step_is_launched(string fault)
    {
        var run = driver.Run([$"FAIL={fault}"], Reply);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Ids(run), Is.EqualTo(Ids(usual)));
        Assert.That(run.Count("cuGraphLaunch"), Is.Zero);
        Assert.That(run.Error,
            Does.StartWith("quilt: warning: gpu:0: steps are no longer recorded, which is slower: the driver ").And.Not.Contain('\n'));
        AssertNothingIsLeft(run);
    }

    [Test]
    public void A_driver_without_graphs_will_do_and_the_doctor_says_so()
    {
        using var old = StandIn.Build(compiler, graphs: false);
        var run = old.Run([], Reply);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Ids(run), Has.Length.EqualTo(9));
        Assert.That(old.Run([], "doctor").Output, Does.Contain("steps are not recorded, which is slower: the driver has no cuStreamBeginCapture_v2"));
        Assert.That(run.Error, Does.Contain("steps are not recorded"));
    }

    [TestCase("cuMemAlloc_v2:20:2", "out of memory")]
    [TestCase("cuMemAlloc_v2:183:2", "out of memory")]
    [TestCase("cuMemAlloc_v2:190:2", "out of memory")]
    [TestCase("cuLaunchKernel:50:700", "illegal address")]
    [TestCase("cuGraphLaunch:2:700", "does not run a recorded step")]
    [TestCase("cuMemcpyAsync:12:700", "illegal address")]
    [TestCase("cuStreamSynchronize:40:700", "illegal address")]
    [TestCase("cuCtxCreate_v2:1:2", "out of memory")]
    [TestCase("cuMemAllocHost_v2:1:2", "out of memory")]
    [TestCase("cuMemAllocHost_v2:2:2", "out of memory")]
    [TestCase("cuModuleLoadDataEx:3:218", "the driver does not take the kernel")]
    public void An_error_of_the_driver_is_one_line_and_leaves_nothing_behind(string fault, string words)
    {
        var run = driver.Run([$"FAIL={fault}"], Reply);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.StartWith("quilt: ").And.Contain(words).And.Not.Contain('\n'));
        AssertNothingIsLeft(run);
    }

    [TestCase(1)]
    [TestCase(60)]
    public void So_is_one_in_a_step_that_is_recorded(int launch)
    {
        var before = usual.Calls[..usual.First("cuStreamBeginCapture_v2")].Count(call => call.StartsWith("cuLaunchKernel", StringComparison.Ordinal));
        An_error_of_the_driver_is_one_line_and_leaves_nothing_behind($"cuLaunchKernel:{before + launch}:700", "illegal address");
    }

    [Test]
    public void What_a_driver_s_compiler_says_of_a_kernel_is_passed_on() =>
        Assert.That(driver.Run(["FAIL=cuModuleLoadDataEx:3:218"], Reply).Error,
            Does.Contain("invalid PTX (218)").And.Contain("ptxas application ptx input, line 1"));

    private static void AssertNothingIsLeft(StandIn.Result run)
    {
        string[] Sizes(string function) =>
            [.. run.Calls.Where(call => call.StartsWith(function + " ", StringComparison.Ordinal)
                && !call.Contains("fails", StringComparison.Ordinal)).Select(call => call.Split(' ')[1]).Order()];
        Assert.That(Sizes("cuMemFree_v2"), Is.EqualTo(Sizes("cuMemAlloc_v2")));
    }

    /// <summary>Launches after a step that find its most likely tokens.</summary>
    private const int LaunchesAChoice = 2;

    // Those between the last two uploads before the recording begins.
    private static int LaunchesAStep(StandIn.Result run)
    {
        var before = run.Calls[..run.First("cuStreamBeginCapture_v2")].ToList();
        var upload = before.FindLastIndex(call => call.StartsWith("cuMemcpyAsync", StringComparison.Ordinal));
        var download = before.FindLastIndex(upload - 1, call => call.StartsWith("cuMemcpyAsync", StringComparison.Ordinal));
        var launches = before.Take(download).Reverse().SkipWhile(call => !call.StartsWith("cuLaunchKernel", StringComparison.Ordinal))
            .TakeWhile(call => call.StartsWith("cuLaunchKernel", StringComparison.Ordinal));
        return launches.Count();
    }

    private static int[] Ids(StandIn.Result run) =>
        [.. JsonDocument.Parse(run.Output).RootElement.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];

    private Dictionary<string, (bool Usable, string Text)> Doctor(params string[] settings) =>
        JsonDocument.Parse(driver.Run(settings, "doctor", "--json").Output).RootElement.GetProperty("devices").EnumerateArray().ToDictionary(
            device => device.GetProperty("name").GetString()!,
            device =>
                (device.GetProperty("usable").GetBoolean(),
                    $"{device.GetProperty("description").GetString()} {device.GetProperty("reason").GetString()}"));
}

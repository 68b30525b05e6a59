namespace Quilt.Formats.Chat.Jinja;

/// <summary>macro name(a, b=1) … endmacro. It sees the names of the place where it stands, not those of its caller.</summary>
internal sealed class Macro(int line, string name, IReadOnlyList<(string Name, Expression? Default)> parameters, MacroUse use, Block body)
    : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output)
    {
        scope[name] = Bind(scope);
        return Flow.Next;
    }

    /// <summary>The macro as a value.</summary>
    public Callable Bind(Scope home) => new(name, (run, arguments) => Invoke(run, home, arguments))
    {
        Attributes = new Dictionary<string, object?>
        {
            ["name"] = name, ["arguments"] = new JinjaTuple([.. parameters.Select(p => (object?)p.Name)]),
            ["catch_kwargs"] = use.HasFlag(MacroUse.Named), ["catch_varargs"] = use.HasFlag(MacroUse.Positional),
            ["caller"] = use.HasFlag(MacroUse.Caller),
        },
    };

    private object Invoke(Run run, Scope home, Arguments arguments)
    {
        run.Enter();
        var caller = run.Line;
        var scope = new Scope(home);
        var named = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (key, value) in arguments.Named) named[key] = value;
        for (var i = 0; i < parameters.Count; i++)
        {
            var (parameter, otherwise) = parameters[i];
            if (i < arguments.Positional.Count) scope[parameter] = arguments.Positional[i];
            else if (named.Remove(parameter, out var value)) scope[parameter] = value;
            else scope[parameter] = otherwise is null ? new Undefined($"parameter '{parameter}' was not provided") : otherwise.Evaluate(run, scope);
        }
        Rest(scope, arguments.Positional, named);
        var text = body.Capture(run, scope);
        run.Line = caller;
        run.Leave();
        return run.Captured(text);
    }

    // What the parameters did not take goes to caller, varargs and kwargs, if the body asks for them.
    private void Rest(Scope scope, List<object?> positional, Dictionary<string, object?> named)
    {
        if (use.HasFlag(MacroUse.Caller)) scope["caller"] = named.Remove("caller", out var callback) ? callback : new Undefined("No caller defined");
        if (use.HasFlag(MacroUse.Named)) scope["kwargs"] = JinjaDict.Of(named);
        else if (named.ContainsKey("caller"))
            throw new JinjaError($"macro '{name}' was invoked with two values for the special caller argument. This is most likely a bug.");
        else if (named.Count > 0) throw new JinjaError($"macro '{name}' takes no keyword argument {Python.Repr(named.Keys.First())}");
        if (use.HasFlag(MacroUse.Positional)) scope["varargs"] = new JinjaTuple([.. positional.Skip(parameters.Count)]);
        else if (positional.Count > parameters.Count) throw new JinjaError($"macro '{name}' takes not more than {parameters.Count} argument(s)");
    }
}

/// <summary>Which of the special names the body of a macro uses.</summary>
[Flags]
internal enum MacroUse
{
    None = 0,
    Caller = 1,
    Positional = 2,
    Named = 4,
}

/// <summary>call(a) macro(…) … endcall: the body is what the macro's caller() writes.</summary>
internal sealed class CallBlock(int line, Call call, Macro body) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output)
    {
        output.Write(Python.Str(call.With("caller", body.Bind(scope), run, scope)));
        return Flow.Next;
    }
}

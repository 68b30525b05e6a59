namespace Quilt.Formats.Chat.Jinja;

/// <summary>macro name(a, b=1) … endmacro. It sees the names of the place where it stands, not those of its caller.</summary>
internal sealed class Macro(int line, string name, IReadOnlyList<(string Name, Expression? Default)> parameters, Block body) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output)
    {
        scope[name] = Bind(scope);
        return Flow.Next;
    }

    /// <summary>The macro as a value.</summary>
    public Callable Bind(Scope home) => new(name, (run, arguments) => Invoke(run, home, arguments))
    {
        Attributes = new Dictionary<string, object?> { ["name"] = name, ["arguments"] = new JinjaTuple([.. parameters.Select(p => (object?)p.Name)]) },
    };

    private string Invoke(Run run, Scope home, Arguments arguments)
    {
        run.Enter();
        var caller = run.Line;
        var scope = new Scope(home);
        var named = arguments.Named.ToDictionary(p => p.Key, p => p.Value);
        for (var i = 0; i < parameters.Count; i++)
        {
            var (parameter, otherwise) = parameters[i];
            if (i < arguments.Positional.Count)
            {
                if (named.ContainsKey(parameter)) throw new JinjaError($"macro '{name}' got multiple values for argument '{parameter}'");
                scope[parameter] = arguments.Positional[i];
            }
            else if (named.Remove(parameter, out var value)) scope[parameter] = value;
            else scope[parameter] = otherwise is null ? new Undefined($"parameter '{parameter}' was not provided") : otherwise.Evaluate(run, scope);
        }
        scope["caller"] = named.Remove("caller", out var callback) ? callback : Undefined.Name("caller");
        scope["varargs"] = new JinjaTuple([.. arguments.Positional.Skip(parameters.Count)]);
        var rest = new JinjaDict();
        foreach (var (key, value) in named) rest.Set(key, value);
        scope["kwargs"] = rest;

        var text = body.Capture(run, scope);
        run.Line = caller;
        run.Leave();
        return text;
    }
}

/// <summary>call(a) macro(…) … endcall: the body is what the macro's caller() writes.</summary>
internal sealed class CallBlock(int line, Call call, Expression target, CallArguments arguments, Macro body) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output)
    {
        if (target.Evaluate(run, scope) is not Callable function) throw new JinjaError($"{call.GetType().Name.ToLowerInvariant()} target is not a macro");
        var passed = arguments.Evaluate(function.Name, run, scope);
        passed.Named.Add(new("caller", body.Bind(scope)));
        output.Write(Python.Str(function.Call(run, passed)));
        return Flow.Next;
    }
}

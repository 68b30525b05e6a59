using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Part of a template that has a value. The tree is built once and runs itself.</summary>
internal abstract class Expression
{
    public object? Evaluate(Run run, Scope scope)
    {
        run.Enter();
        var value = Compute(run, scope);
        run.Leave();
        return value;
    }

    /// <summary>The value, a safe text being a text like any other: only + treats it differently.</summary>
    public object? EvaluatePlain(Run run, Scope scope) => Evaluate(run, scope) is var value && value is JinjaMarkup safe ? safe.Text : value;

    /// <summary>The value where it goes into another: safe text stays safe if that matters later.</summary>
    public object? EvaluatePart(Run run, Scope scope) => run.Style.Escapes ? Evaluate(run, scope) : EvaluatePlain(run, scope);

    /// <summary>The value where an operation's result would be safe again, which no operation here knows.</summary>
    public object? EvaluateOperand(Run run, Scope scope)
    {
        var value = Evaluate(run, scope);
        if (value is not JinjaMarkup safe) return value;
        if (run.Style.Escapes) throw new JinjaError("safe text is printed, joined, added and compared; nothing else of it is supported");
        return safe.Text;
    }

    protected abstract object? Compute(Run run, Scope scope);
}

internal sealed class Constant(object? value) : Expression
{
    public object? Value { get; } = value;

    protected override object? Compute(Run run, Scope scope) => Value;
}

internal sealed class Name(string name) : Expression
{
    public string Text { get; } = name;

    protected override object? Compute(Run run, Scope scope) => scope.TryGet(Text, out var value) ? value : Undefined.Name(Text);
}

internal sealed class ListOf(IReadOnlyList<Expression> items, bool isTuple) : Expression
{
    public IReadOnlyList<Expression> Items { get; } = items;

    public bool IsTuple { get; } = isTuple;

    protected override object? Compute(Run run, Scope scope)
    {
        var values = new object?[Items.Count];
        for (var i = 0; i < values.Length; i++) values[i] = Items[i].EvaluatePart(run, scope);
        return IsTuple ? new JinjaTuple(values) : new JinjaList(values);
    }
}

internal sealed class DictOf(IReadOnlyList<(Expression Key, Expression Value)> items) : Expression
{
    protected override object? Compute(Run run, Scope scope)
    {
        var dict = new JinjaDict();
        foreach (var (key, value) in items) dict.Set(key.EvaluatePlain(run, scope), value.EvaluatePart(run, scope));
        return dict;
    }
}

internal sealed class Unary(string op, Expression operand) : Expression
{
    protected override object? Compute(Run run, Scope scope)
    {
        var value = operand.EvaluatePlain(run, scope);
        if (op == "not") return !Python.IsTrue(value);
        if (value is Undefined u) throw u.Fail();
        if (!Python.TryNumber(value, out var number)) throw new JinjaError($"bad operand type for unary {op}: '{Python.TypeName(value)}'");
        return op == "-" ? number.Negate().Box() : number.Box();
    }
}

internal sealed class Binary(string op, Expression left, Expression right) : Expression
{
    protected override object? Compute(Run run, Scope scope) => op == "+"
        ? JinjaMarkup.Add(left.Evaluate(run, scope), right.Evaluate(run, scope), run)
        : Operators.Apply(op, left.EvaluateOperand(run, scope), right.EvaluateOperand(run, scope), run);
}

/// <summary>and, or: the value that decided, as in Python.</summary>
internal sealed class Logical(bool isAnd, Expression left, Expression right) : Expression
{
    protected override object? Compute(Run run, Scope scope)
    {
        var value = left.Evaluate(run, scope);
        return Python.IsTrue(value) == isAnd ? right.Evaluate(run, scope) : value;
    }
}

/// <summary>a ~ b ~ c: the texts of all.</summary>
internal sealed class Concat(IReadOnlyList<Expression> parts) : Expression
{
    protected override object? Compute(Run run, Scope scope)
    {
        var values = new object?[parts.Count];
        for (var i = 0; i < values.Length; i++) values[i] = parts[i].EvaluatePart(run, scope);
        return JinjaMarkup.Join(values, "", run);
    }
}

/// <summary>a &lt; b &lt;= c, in, not in.</summary>
internal sealed class Comparison(Expression first, IReadOnlyList<(string Op, Expression Right)> rest) : Expression
{
    protected override object? Compute(Run run, Scope scope)
    {
        var left = first.EvaluatePlain(run, scope);
        foreach (var (op, expression) in rest)
        {
            var right = expression.EvaluatePlain(run, scope);
            if (!Operators.Holds(op, left, right)) return false;
            left = right;
        }
        return true;
    }
}

/// <summary>a if condition else b.</summary>
internal sealed class Conditional(int line, Expression condition, Expression then, Expression? otherwise) : Expression
{
    protected override object? Compute(Run run, Scope scope)
    {
        if (Python.IsTrue(condition.Evaluate(run, scope))) return then.Evaluate(run, scope);
        return otherwise is null
            ? new Undefined($"the inline if-expression on line {line} evaluated to false and no else section was defined.", isLenient: true)
            : otherwise.Evaluate(run, scope);
    }
}

internal sealed class Member(Expression target, string name) : Expression
{
    protected override object? Compute(Run run, Scope scope) => Members.Attribute(target.EvaluateOperand(run, scope), name);
}

internal sealed class Subscript(Expression target, Expression index) : Expression
{
    protected override object? Compute(Run run, Scope scope)
    {
        var value = target.EvaluateOperand(run, scope);
        if (value is string text) run.Spend(text.Length);
        return Members.Item(value, index.EvaluatePlain(run, scope));
    }
}

internal sealed class Slice(Expression target, Expression? start, Expression? stop, Expression? step) : Expression
{
    protected override object? Compute(Run run, Scope scope) => Slicing.Slice(
        target.EvaluateOperand(run, scope), start?.EvaluatePlain(run, scope), stop?.EvaluatePlain(run, scope), step?.EvaluatePlain(run, scope), run);
}

/// <summary>Arguments of a call as written.</summary>
internal sealed record CallArguments(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named, Expression? Star,
    Expression? StarStar)
{
    public static readonly CallArguments None = new([], [], null, null);

    public Arguments Evaluate(string function, Run run, Scope scope, bool keepSafe = false)
    {
        object? Value(Expression argument) => keepSafe ? argument.EvaluatePart(run, scope) : argument.EvaluatePlain(run, scope);
        var positional = new List<object?>(Positional.Count);
        foreach (var argument in Positional) positional.Add(Value(argument));
        if (Star is not null) positional.AddRange(Python.Iterate(Star.EvaluatePlain(run, scope)));
        var named = new List<KeyValuePair<string, object?>>(Named.Count);
        foreach (var (name, value) in Named) named.Add(new(name, Value(value)));
        if (StarStar?.EvaluatePlain(run, scope) is JinjaDict dict)
            named.AddRange(dict.Entries.Select(p => KeyValuePair.Create(Python.Str(p.Key), p.Value)));
        return new Arguments(function, positional, named);
    }
}

internal sealed class Call(Expression target, CallArguments arguments) : Expression
{
    /// <summary>The call with one more named argument, for call blocks.</summary>
    public object? With(string name, object? value, Run run, Scope scope)
    {
        if (target.Evaluate(run, scope) is not Callable callable) return Evaluate(run, scope);
        var passed = arguments.Evaluate(callable.Name, run, scope, keepSafe: true);
        passed.Named.Add(new(name, value));
        return callable.Call(run, passed);
    }

    protected override object? Compute(Run run, Scope scope)
    {
        var function = target.Evaluate(run, scope);
        return function switch
        {
            Callable callable => callable.Call(run, arguments.Evaluate(callable.Name, run, scope, keepSafe: callable.Attributes is not null)),
            LoopState { Recurse: { } recurse } =>
                recurse(run, arguments.Evaluate("loop", run, scope) is { Positional.Count: > 0 } passed
                    ? passed.Positional[0]
                    : throw new JinjaError("LoopContext.__call__() missing 1 required positional argument: 'iterable'")),
            LoopState => throw new JinjaError("Tried to call non recursive loop.  Maybe you forgot the 'recursive' modifier."),
            Undefined u => throw u.Fail(),
            _ => throw new JinjaError($"'{Python.TypeName(function)}' object is not callable"),
        };
    }
}

/// <summary>a | filter(…). The filter may be unknown, as long as it is not reached.</summary>
internal sealed class Filter(Expression? input, string name, Func<Run, object?, Arguments, object?>? filter, CallArguments arguments) : Expression
{
    /// <summary>The filter on a value at hand, for filter blocks.</summary>
    public object? Apply(object? value, Run run, Scope scope) => On(input is Filter inner ? inner.Apply(value, run, scope) : value, run, scope);

    protected override object? Compute(Run run, Scope scope) => On(input!.Evaluate(run, scope), run, scope);

    private object? On(object? value, Run run, Scope scope) =>
        Filters.Apply(filter ?? throw new JinjaError($"No filter named '{name}' found."), name, run, value,
            arguments.Evaluate(name, run, scope, keepSafe: name is "default" or "d" or "replace" or "join"));
}

/// <summary>a is test(…), a is not test(…).</summary>
internal sealed class Test(Expression input, string name, Func<Run, object?, Arguments, bool>? test, CallArguments arguments, bool negated)
    : Expression
{
    protected override object? Compute(Run run, Scope scope)
    {
        var value = name == "escaped" ? input.Evaluate(run, scope) : input.EvaluatePlain(run, scope);
        if (name is "lower" or "upper") run.SpendOn(value);
        return (test ?? throw new JinjaError($"No test named '{name}' found."))(run, value, arguments.Evaluate(name, run, scope)) != negated;
    }
}

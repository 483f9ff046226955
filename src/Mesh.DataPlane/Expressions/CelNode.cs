using Mesh.DataPlane.Formatting;

namespace Mesh.DataPlane.Expressions;

/// <summary>A part of a compiled expression.</summary>
internal abstract class CelNode
{
    public abstract CelValue Evaluate(in FormatContext context);

    /// <summary>What <c>has()</c> asks; by itself, whether there is a value.</summary>
    public virtual bool Has(in FormatContext context) => !Evaluate(context).IsError;

    internal sealed class Constant(CelValue value) : CelNode
    {
        public CelValue Value => value;

        public override CelValue Evaluate(in FormatContext context) => value;
    }

    /// <summary>Something of the request, by its name.</summary>
    internal sealed class Attribute(CelAttribute value) : CelNode
    {
        public override CelValue Evaluate(in FormatContext context) => value(context);
    }

    /// <summary><c>map.key</c>, <c>map['key']</c>, <c>list[1]</c>.</summary>
    internal sealed class Index(CelNode of, CelNode by) : CelNode
    {
        private readonly CelKey? _key = by is Constant { Value: { Kind: CelKind.String } text } ? new CelKey(text.String) : null;

        public override CelValue Evaluate(in FormatContext context)
        {
            var container = of.Evaluate(context);
            if (container.Kind == CelKind.Map)
            {
                return _key is not null ? container.Map.Get(context, _key)
                    : by.Evaluate(context) is { Kind: CelKind.String } key ? container.Map.Get(context, new CelKey(key.String))
                    : default;
            }

            return container.Kind == CelKind.List && by.Evaluate(context) is { Kind: CelKind.Int } at && at.Number >= 0 && at.Number < container.List.Length
                ? container.List[at.Number]
                : default;
        }
    }

    internal sealed class Presence(CelNode of) : CelNode
    {
        public override CelValue Evaluate(in FormatContext context) => CelValue.Of(of.Has(context));
    }

    internal sealed class Not(CelNode of) : CelNode
    {
        public override CelValue Evaluate(in FormatContext context) => of.Evaluate(context) is { Kind: CelKind.Bool } value ? CelValue.Of(value.IsFalse) : default;
    }

    /// <summary>What is false on either side decides, whatever cannot be told of the other.</summary>
    internal sealed class And(CelNode left, CelNode right) : CelNode
    {
        public override CelValue Evaluate(in FormatContext context)
        {
            var first = left.Evaluate(context);
            if (first.IsFalse)
            {
                return first;
            }

            var second = right.Evaluate(context);
            return second.IsFalse ? second : first.IsTrue && second.IsTrue ? second : default;
        }
    }

    /// <summary>What is true on either side decides, whatever cannot be told of the other.</summary>
    internal sealed class Or(CelNode left, CelNode right) : CelNode
    {
        public override CelValue Evaluate(in FormatContext context)
        {
            var first = left.Evaluate(context);
            if (first.IsTrue)
            {
                return first;
            }

            var second = right.Evaluate(context);
            return second.IsTrue ? second : first.IsFalse && second.IsFalse ? second : default;
        }
    }

    internal sealed class Choice(CelNode condition, CelNode then, CelNode otherwise) : CelNode
    {
        public override CelValue Evaluate(in FormatContext context)
            => condition.Evaluate(context) is { Kind: CelKind.Bool } value ? value.IsTrue ? then.Evaluate(context) : otherwise.Evaluate(context) : default;
    }

    internal sealed class Equality(CelNode left, CelNode right, bool wanted) : CelNode
    {
        public override CelValue Evaluate(in FormatContext context)
            => CelValue.Equal(left.Evaluate(context), right.Evaluate(context)) is { Kind: CelKind.Bool } same ? CelValue.Of(same.IsTrue == wanted) : default;
    }

    /// <summary>Takes the order of two values: negative, zero or positive.</summary>
    internal sealed class Comparison(CelNode left, CelNode right, Func<int, bool> wanted) : CelNode
    {
        public override CelValue Evaluate(in FormatContext context)
            => CelValue.Compare(left.Evaluate(context), right.Evaluate(context)) is { } order ? CelValue.Of(wanted(order)) : default;
    }

    /// <summary><c>value in list</c>, <c>'key' in map</c>.</summary>
    internal sealed class Membership(CelNode element, CelNode container) : CelNode
    {
        private readonly CelKey? _key = element is Constant { Value: { Kind: CelKind.String } text } ? new CelKey(text.String) : null;

        public override CelValue Evaluate(in FormatContext context)
        {
            var wanted = element.Evaluate(context);
            var within = container.Evaluate(context);
            if (wanted.IsError || within.Kind is not (CelKind.List or CelKind.Map))
            {
                return default;
            }

            if (within.Kind == CelKind.Map)
            {
                return wanted.Kind == CelKind.String ? CelValue.Of(!within.Map.Get(context, _key ?? new CelKey(wanted.String)).IsError) : default;
            }

            foreach (var value in within.List)
            {
                if (CelValue.Equal(wanted, value).IsTrue)
                {
                    return CelValue.Of(true);
                }
            }

            return CelValue.Of(false);
        }
    }

    internal sealed class ListOf(CelNode[] elements) : CelNode
    {
        public override CelValue Evaluate(in FormatContext context)
        {
            var values = new CelValue[elements.Length];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = elements[i].Evaluate(context);
                if (values[i].IsError)
                {
                    return default;
                }
            }

            return CelValue.Of(values);
        }
    }

    /// <summary>A function of one value.</summary>
    internal sealed class Call(CelNode of, Func<CelValue, CelValue> function) : CelNode
    {
        public override CelValue Evaluate(in FormatContext context) => of.Evaluate(context) is { IsError: false } value ? function(value) : default;
    }

    /// <summary>A function of two values, or an operator between them.</summary>
    internal sealed class Call2(CelNode left, CelNode right, Func<CelValue, CelValue, CelValue> function) : CelNode
    {
        public override CelValue Evaluate(in FormatContext context)
            => left.Evaluate(context) is { IsError: false } first && right.Evaluate(context) is { IsError: false } second ? function(first, second) : default;
    }

    internal sealed class Size(CelNode of) : CelNode
    {
        public override CelValue Evaluate(in FormatContext context)
        {
            var value = of.Evaluate(context);
            return value.Kind switch
            {
                CelKind.String => CelValue.Of((long)value.String.EnumerateRunes().Count()),
                CelKind.List => CelValue.Of((long)value.List.Length),
                CelKind.Map => value.Map.CountIn(context) is { } count ? CelValue.Of((long)count) : default,
                _ => default,
            };
        }
    }
}

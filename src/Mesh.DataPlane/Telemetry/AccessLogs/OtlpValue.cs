using Mesh.DataPlane.Formatting;
using Mesh.Xds.Client;
using Opentelemetry.Proto.Common.V1;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>A value of a record whose texts are formats.</summary>
internal abstract class OtlpValue
{
    private const int MaxDepth = 32;

    public abstract IEnumerable<string> RequestHeaders { get; }

    public abstract IEnumerable<string> NotAlwaysKnown { get; }

    public abstract AnyValue Of(in FormatContext context);

    /// <exception cref="ResourceRejectedException">A text is no format.</exception>
    public static OtlpValue Compile(AnyValue message, string path, int depth = 0)
    {
        if (depth > MaxDepth)
        {
            throw new ResourceRejectedException(path, $"is nested more than {MaxDepth} deep");
        }

        switch (message.ValueCase)
        {
            case AnyValue.ValueOneofCase.StringValue:
                try
                {
                    return new Text(SubstitutionFormat.Parse(message.StringValue, omitEmptyValues: false));
                }
                catch (SubstitutionFormatException e)
                {
                    throw new ResourceRejectedException(path + ".string_value", e.Message);
                }

            case AnyValue.ValueOneofCase.ArrayValue:
                return new List([.. message.ArrayValue.Values.Select((v, i) => Compile(v, $"{path}.array_value.values[{i}]", depth + 1))]);
            case AnyValue.ValueOneofCase.KvlistValue:
                return new Fields([.. message.KvlistValue.Values.Select((v, i)
                    => (v.Key, Compile(v.Value ?? new AnyValue(), $"{path}.kvlist_value.values[{i}].value", depth + 1)))]);
            default:
                return new Constant(message.Clone());
        }
    }

    private sealed class Text(SubstitutionFormat format) : OtlpValue
    {
        public override IEnumerable<string> RequestHeaders => format.RequestHeaders;

        public override IEnumerable<string> NotAlwaysKnown => format.NotAlwaysKnown;

        public override AnyValue Of(in FormatContext context) => new() { StringValue = format.Render(context) };
    }

    private sealed class List(OtlpValue[] values) : OtlpValue
    {
        public override IEnumerable<string> RequestHeaders => values.SelectMany(v => v.RequestHeaders);

        public override IEnumerable<string> NotAlwaysKnown => values.SelectMany(v => v.NotAlwaysKnown);

        public override AnyValue Of(in FormatContext context)
        {
            var result = new AnyValue { ArrayValue = new ArrayValue() };
            foreach (var value in values)
            {
                result.ArrayValue.Values.Add(value.Of(context));
            }

            return result;
        }
    }

    private sealed class Fields((string Name, OtlpValue Value)[] fields) : OtlpValue
    {
        public override IEnumerable<string> RequestHeaders => fields.SelectMany(f => f.Value.RequestHeaders);

        public override IEnumerable<string> NotAlwaysKnown => fields.SelectMany(f => f.Value.NotAlwaysKnown);

        public override AnyValue Of(in FormatContext context)
        {
            var result = new AnyValue { KvlistValue = new KeyValueList() };
            foreach (var (name, value) in fields)
            {
                result.KvlistValue.Values.Add(new KeyValue { Key = name, Value = value.Of(context) });
            }

            return result;
        }
    }

    private sealed class Constant(AnyValue value) : OtlpValue
    {
        private readonly string _shown = value.ToString();

        public override IEnumerable<string> RequestHeaders => [];

        public override IEnumerable<string> NotAlwaysKnown => [];

        public override AnyValue Of(in FormatContext context) => value;

        public override string ToString() => _shown;
    }
}

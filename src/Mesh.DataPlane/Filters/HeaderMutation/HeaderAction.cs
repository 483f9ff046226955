using Mesh.DataPlane.Matching;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.HeaderMutation;

/// <summary>One change of the headers of a message, by Envoy's append actions. The parts of the request line and the status are changed like headers.</summary>
internal abstract class HeaderAction
{
    public static void Apply(HeaderAction[] actions, HttpExchange exchange, HeaderSide side)
    {
        foreach (var action in actions)
        {
            action.Apply(exchange, side);
        }
    }

    public abstract void Apply(HttpExchange exchange, HeaderSide side);

    private static HttpExchangeHeaders Headers(HttpExchange exchange, HeaderSide side)
        => side == HeaderSide.Request ? exchange.RequestHeaders : exchange.ResponseHeaders;

    /// <summary>Gives a header a value.</summary>
    internal sealed class Write(string name, HeaderFormat value, HeaderWrite action, bool keepEmptyValue) : HeaderAction
    {
        private readonly PseudoHeader _pseudo = new HeaderName(name).Pseudo;
        private readonly bool _isStatus = name == ":status";

        public override void Apply(HttpExchange exchange, HeaderSide side)
        {
            var text = value.Render(exchange);
            if (text.Length == 0 && !keepEmptyValue)
            {
                return;
            }

            if (_pseudo != PseudoHeader.None || _isStatus)
            {
                ApplyToPseudo(exchange, text);
                return;
            }

            var headers = Headers(exchange, side);
            if (!HeaderSyntax.IsValue(text))
            {
                // What was substituted would end the header: nothing is left of what it was to overwrite.
                if (action is HeaderWrite.Overwrite or HeaderWrite.OverwriteIfExists)
                {
                    headers.Remove(name);
                }

                return;
            }

            switch (action)
            {
                case HeaderWrite.Append:
                    headers.Add(name, text);
                    break;
                case HeaderWrite.AddIfAbsent when !headers.Contains(name):
                case HeaderWrite.OverwriteIfExists when headers.Contains(name):
                case HeaderWrite.Overwrite:
                    headers.Set(name, text);
                    break;
            }
        }

        // They are always there, and have one value: to append would break the message, as it does in Envoy, so it overwrites.
        private void ApplyToPseudo(HttpExchange exchange, string text)
        {
            if (action == HeaderWrite.AddIfAbsent || text.Length == 0)
            {
                return;
            }

            if (_isStatus)
            {
                exchange.StatusCode = int.Parse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture);
                return;
            }

            switch (_pseudo)
            {
                case PseudoHeader.Path:
                    exchange.Path = text;
                    break;
                case PseudoHeader.Method:
                    exchange.Method = text;
                    break;
                case PseudoHeader.Authority:
                    exchange.Authority = text;
                    break;
            }
        }
    }

    internal sealed class Remove(string name) : HeaderAction
    {
        public override void Apply(HttpExchange exchange, HeaderSide side) => Headers(exchange, side).Remove(name);
    }

    internal sealed class RemoveOnMatch(StringMatcher matcher) : HeaderAction
    {
        public override void Apply(HttpExchange exchange, HeaderSide side)
        {
            var headers = Headers(exchange, side);
            foreach (var (name, _) in headers)
            {
                // Over the wire names are in lower case, and so are they in the rules.
                if (matcher.IsMatch(name.ToLowerInvariant()))
                {
                    headers.Remove(name);
                }
            }
        }
    }
}

/// <summary>Envoy's <c>HeaderAppendAction</c>.</summary>
internal enum HeaderWrite
{
    Append,
    AddIfAbsent,
    Overwrite,
    OverwriteIfExists,
}

using System.Net;
using Envoy.Extensions.Filters.Http.StatefulSession.V3;
using Envoy.Extensions.Http.StatefulSession.Cookie.V3;
using Envoy.Extensions.Http.StatefulSession.Header.V3;
using Mesh.Filters;
using Mesh.Xds.Client;
using Message = Envoy.Extensions.Filters.Http.StatefulSession.V3.StatefulSession;

namespace Mesh.DataPlane.Filters.StatefulSession;

/// <summary>Envoy's <c>envoy.filters.http.stateful_session</c>; a route's configuration takes the place of the listener's, or switches it off.</summary>
internal sealed class StatefulSessionFilterType() : FilterType<Message, StatefulSessionPerRoute>(Message.Parser, StatefulSessionPerRoute.Parser)
{
    public override HttpFilter? Create(in FilterBinding binding)
    {
        if (binding.MostSpecific is not StatefulSessionSettings settings)
        {
            return null;
        }

        var time = binding.Services.Time;
        SessionState? state = (settings.Cookie, settings.Header) switch
        {
            ({ } cookie, _) => new CookieSession(cookie, time),
            (_, { } header) => new HeaderSession(header),
            _ => null,
        };
        return state is null ? null : new StatefulSessionFilter(state, settings.StatusWhenMissing);
    }

    protected override object Compile(Message message, string path, ICollection<string> notes)
    {
        var settings = new StatefulSessionSettings
        {
            StatusWhenMissing = message.Strict
                ? message.StatusOnStrictDestinationNotFound is > 0 and var status ? (HttpStatusCode)status : HttpStatusCode.ServiceUnavailable
                : null,
        };
        if (message.SessionState is not { TypedConfig: { } any })
        {
            return settings;
        }

        var statePath = path + ".session_state.typed_config";
        var state = FilterMessage.Open(any, statePath);
        if (state.TypeName == CookieBasedSessionState.Descriptor.FullName)
        {
            return settings with { Cookie = state.Parse(CookieBasedSessionState.Parser, statePath, notes).Cookie };
        }

        return state.TypeName == HeaderBasedSessionState.Descriptor.FullName
            ? settings with { Header = state.Parse(HeaderBasedSessionState.Parser, statePath, notes).Name }
            : throw new ResourceRejectedException(statePath, $"{state.TypeName} is not supported; sessions are kept in a cookie or a header");
    }

    // Anything but settings stands for "disabled".
    protected override object CompileRoute(StatefulSessionPerRoute message, string path, ICollection<string> notes)
        => message.StatefulSession is { } own ? Compile(own, path + ".stateful_session", notes) : false;
}

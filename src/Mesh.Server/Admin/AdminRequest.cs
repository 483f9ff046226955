using System.Globalization;
using System.Text;
using System.Text.Json;
using Mesh.DataPlane;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching.Re2;
using Mesh.Server.Admin.Html;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Admin;

/// <summary>A request to the admin that may be answered, and the ways to answer it.</summary>
/// <param name="context">The request.</param>
/// <param name="root">Where the admin is, without a slash at the end: empty, or <c>/mesh</c>.</param>
/// <param name="services">The services of the process.</param>
internal sealed class AdminRequest(HttpContext context, string root, IServiceProvider services)
{
    // A filter is an expression that a stranger may have written into a link.
    private const int MaxFilter = 500;

    public HttpContext Context => context;

    public string Root => root;

    public IServiceProvider Services => services;

    public MeshEngine Engine { get; } = services.GetRequiredService<MeshEngine>();

    /// <summary>The ports that the mesh covers; <see langword="null"/> in a process without any.</summary>
    public InboundPorts? Ports => services.GetService<InboundPorts>();

    public TimeProvider Time { get; } = services.GetRequiredService<TimeProvider>();

    /// <summary>One parameter of the query, or of the form that was sent; empty when it is not there.</summary>
    public string this[string name]
        => context.Request.Query.TryGetValue(name, out var values) || (Form?.TryGetValue(name, out values) ?? false) ? values.ToString() : "";

    /// <summary>The form that came with <c>POST</c>, once it has been read.</summary>
    public IFormCollection? Form { get; set; }

    /// <summary>All values of one parameter.</summary>
    public IEnumerable<string> All(string name) => context.Request.Query[name].Concat(Form?[name] ?? default).OfType<string>();

    public bool Has(string name) => context.Request.Query.ContainsKey(name);

    public AdminFormat FormatOr(AdminFormat usual) => AdminFormats.Of(context.Request, usual);

    /// <summary>An expression in a parameter, in RE2's syntax, which takes no time that grows with what it is held to.</summary>
    /// <returns><see langword="false"/> when it is none; what is wrong has been answered.</returns>
    public async Task<(bool IsGood, Re2Pattern? Pattern)> PatternAsync(string name)
    {
        if (this[name] is not { Length: > 0 } text)
        {
            return (true, null);
        }

        try
        {
            return text.Length <= MaxFilter ? (true, Re2Pattern.Parse(text)) : throw new FormatException($"it is longer than {MaxFilter} characters");
        }
        catch (FormatException e)
        {
            await RefuseAsync(StatusCodes.Status400BadRequest, $"{name} is no regular expression in RE2's syntax: {e.Message}").ConfigureAwait(false);
            return (false, null);
        }
    }

    public Task WriteJsonAsync<T>(T value, int status = StatusCodes.Status200OK)
        => WriteAsync(JsonSerializer.Serialize(value, AdminJson.Options) + "\n", "application/json; charset=utf-8", status);

    public Task WriteTextAsync(string text, int status = StatusCodes.Status200OK) => WriteAsync(text, "text/plain; charset=utf-8", status);

    public Task WritePageAsync(string title, HtmlText body, int status = StatusCodes.Status200OK)
        => WriteAsync(AdminPage.Of(this, title, body).ToString(), "text/html; charset=utf-8", status);

    /// <summary>Says why not, in one line.</summary>
    public Task RefuseAsync(int status, string reason)
        => FormatOr(AdminFormat.Text) == AdminFormat.Html
            ? WritePageAsync(status.ToString(CultureInfo.InvariantCulture), HtmlText.Of($"<p class=\"bad\">{reason}</p>"), status)
            : FormatOr(AdminFormat.Text) == AdminFormat.Json ? WriteJsonAsync(new { error = reason }, status)
            : WriteTextAsync(reason + "\n", status);

    public async Task WriteAsync(string text, string contentType, int status)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        var bytes = Encoding.UTF8.GetBytes(text);
        response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
        }
    }
}

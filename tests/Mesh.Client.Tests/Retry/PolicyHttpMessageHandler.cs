namespace Microsoft.Extensions.Http;

/// <summary>Stands where Polly's handler would: it is known by its name.</summary>
internal sealed class PolicyHttpMessageHandler : DelegatingHandler;

namespace Bookinfo.Details;

/// <summary>The public book service gave no usable answer; the message is for the caller of <c>/details</c>.</summary>
internal sealed class ExternalBooksException(string message, Exception inner) : Exception(message, inner);
